"""MCP: which servers there are, whether they are trusted, and how their tools are called.

catalog.py      the servers as integrations: what the rest of kosmo sees
tools.py        tools as functions of the one path of calls; methods.py: resources and prompts
listing.py      what a server has told of its tools, kept between runs
contact.py      what one run has with one server
inspection.py   what there is and what is wrong with it, for people

servers.py      which servers there are, in the files of a project and of the user
definitions.py  what an entry of such a file may say
references.py   `${VAR}` and `@secret:` in them; expansion.py: what is left when they are expanded
trust.py        whether the user has approved of a project's server
editing.py      changes of the files; secrets.py: what is stored for them

connections.py  the sessions of a run, over the official SDK, which is imported when a server is contacted
"""
