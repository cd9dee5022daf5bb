"""HTTP: one service as one account sees it. The only package that knows httpx.

Every request has time limits, no redirect is followed (it could carry a credential elsewhere), what may be
sent again is sent again, and every outcome becomes a plain value or a KosmoError that says whether the
request left the machine.
"""

from kosmo_lua.http.api import TRANSIENT, Api, encode
from kosmo_lua.http.connections import preload
from kosmo_lua.http.event import BatchLimits, Event
from kosmo_lua.http.exchange import Exchange
from kosmo_lua.http.rates import Rate

__all__ = ["TRANSIENT", "Api", "BatchLimits", "Event", "Exchange", "Rate", "encode", "preload"]
