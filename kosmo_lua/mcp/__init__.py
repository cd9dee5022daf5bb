"""MCP: which servers there are, whether they are trusted, and how their tools are called.

    servers.py      which there are, in the files of a project and of the user
    references.py   what `${VAR}` and `@secret:` in them stand for
    trust.py        whether the user has approved of a project's server
    connections.py  the sessions of a run, over the official SDK: the only modules that import it
    tools.py        tools, resources and prompts as functions of the one path of calls

Nothing here imports the SDK before a server is contacted.
"""
