"""The server that forks workers for a program, which must not fork itself."""

from typing import TYPE_CHECKING

from kosmo_lua.backend import Backend
from kosmo_lua.config import Config
from kosmo_lua.lua.child import Child
from kosmo_lua.lua.server import Server, serve
from kosmo_lua.options import Options
from kosmo_lua.workers import work

if TYPE_CHECKING:
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.lua.sandbox import Sandbox


def main(descriptor: int) -> None:
    """Be the server: fork workers for the program at this socket."""
    serve(descriptor, _work, preload=_preload)


def _work(child: Child) -> None:
    work(child, _sandbox, _catalog)


_sandbox: "Sandbox | None" = None
"""A Lua state in which nothing has run: each child has a copy, and need not make one."""

_catalog: "Catalog | None" = None
"""The integrations, which are the same for every child."""


def _preload() -> None:
    """Make and import what a script needs that calls an integration, so that no child has to."""
    from kosmo_lua import calls, http, naming, policy  # noqa: F401, PLC0415  # once there is nothing to do
    from kosmo_lua.lua.sandbox import Sandbox  # noqa: PLC0415  # the same

    global _catalog, _sandbox  # noqa: PLW0603  # what a fork copies is global by nature
    _sandbox = Sandbox()
    http.preload()
    _catalog = Backend(Options({}, Config())).installed
    for integration in _catalog.integrations.values():
        for function in integration.functions.values():
            function.schema()


SERVER = Server(main)
"""The one server of this process; it starts with the first child."""
