"""MCP: which servers there are, whether they are trusted, and how their tools are called.

    servers.py      which there are, in the files of a project and of the user
    definitions.py  what an entry of such a file may say
    references.py   `${VAR}` and `@secret:` in them; expansion.py: what is left when they are expanded
    trust.py        whether the user has approved of a project's server
    editing.py      changes of the files; secrets.py: what is stored for them
    connections.py  the sessions of a run, over the official SDK: the only modules that import it
    tools.py        tools, resources and prompts as functions of the one path of calls

Nothing here imports the SDK before a server is contacted.
"""
