"""Run Lua workflows against SaaS APIs, in a sandbox.

from kosmo_lua import Kosmo

result = Kosmo(emulator=True).run("return 1 + 1")
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each name is imported when it is used: start-up
    from kosmo_lua.config import Config
    from kosmo_lua.errors import KosmoError
    from kosmo_lua.kosmo import Kosmo
    from kosmo_lua.lua.limits import Limits
    from kosmo_lua.progress import Progress
    from kosmo_lua.results import CallResult, Result
    from kosmo_lua.run_events import RunEvent

__all__ = [
    "CallResult",
    "Config",
    "Kosmo",
    "KosmoError",
    "Limits",
    "Progress",
    "Result",
    "RunEvent",
    "__version__",
]

__version__ = "0.1.0"

_HOMES = {
    "CallResult": "kosmo_lua.results",
    "Config": "kosmo_lua.config",
    "Kosmo": "kosmo_lua.kosmo",
    "KosmoError": "kosmo_lua.errors",
    "Limits": "kosmo_lua.lua.limits",
    "Progress": "kosmo_lua.progress",
    "Result": "kosmo_lua.results",
    "RunEvent": "kosmo_lua.run_events",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415  # start-up

    return getattr(import_module(_HOMES[name]), name)
