"""The gateway: kosmo as an MCP server, for coding agents.

    offer.py      what is offered, and within which bounds
    tools.py      Tool, Reply, Toolbox: what a server serves, whoever speaks the protocol
    code.py       the four tools of code mode
    functions.py  each function as a tool of its own
    kosmos.py     the Kosmo that only reads, and the one that also writes
    scripts.py    runs the scripts of calls, and ends them
    replies.py    a result as the reply to a call, within a number of characters
    server.py     the official SDK's server over a toolbox
    stdio.py, http.py   how it is reached
    serving.py    serves until it is stopped
    clients.py    the configuration of the clients that start it

Only server.py, stdio.py and http.py import the SDK.
"""
