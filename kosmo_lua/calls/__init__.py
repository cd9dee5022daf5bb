"""Calls: everything between a script and a service, but HTTP.

`path` makes one call; `concurrent` lets several go on at once, `delivery` sends events in batches, and
`iteration` reads lists page by page. All of them make their calls on the one path.
"""

from kosmo_lua.calls.path import Calls

__all__ = ["Calls"]
