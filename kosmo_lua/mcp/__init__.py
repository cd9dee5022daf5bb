"""MCP: which servers there are, whether they are trusted, and how their tools are called.

catalog.py      the servers as integrations: what the rest of kosmo sees
servers.py      which there are, in the files of a project and of the user
references.py   what `${VAR}` and `@secret:` in them stand for
trust.py        whether the user has approved of a project's server
listing.py      what a server has told of its tools, kept between runs
inspection.py   what there is, and what is wrong with it, for people
tools.py        tools as functions of the one path of calls, methods.py the same for resources and prompts
contact.py      what one run has with one server
connections.py  the sessions of a run, over the official SDK, which is imported when a server is contacted
"""

from kosmo_lua.mcp.catalog import ServerCatalog
from kosmo_lua.mcp.inspection import Inspection

__all__ = ["Inspection", "ServerCatalog"]
