"""The Lua table `mcp`: which servers there are and what they offer. What calls them is in the prelude."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import InvalidArguments, KosmoError
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # pydantic, only for a server that is used
    from kosmo_lua.integration import Function


def functions(catalog: Catalog) -> Mapping[str, Callable[..., Json]]:
    """Return mcp.servers, mcp.tools and mcp.schema."""
    servers = catalog.servers

    def listed() -> Json:
        return [{**state} for state in servers.states()] if servers else []

    def tools(server: Json = None) -> Json:
        if server is not None:
            name = _name("mcp.tools", server, "github")
            return [_entry(each) for each in catalog.integration(f"mcp.{name}").functions.values()]
        return [
            entry
            for name in (servers.names if servers else ())
            for entry in _all_of(catalog, name)
        ]

    def schema(tool: Json = None) -> Json:
        name = _name("mcp.schema", tool, "github.create_issue")
        return catalog.resolve(f"mcp.{name}").function.schema()

    return {"servers": listed, "tools": tools, "schema": schema}


def _all_of(catalog: Catalog, name: str) -> list[JsonObject]:
    """Return the tools of a server; one that fails costs only itself, and says why."""
    try:
        return [_entry(each) for each in catalog.integration(f"mcp.{name}").functions.values()]
    except KosmoError as error:
        return [{"server": name, "code": error.code, "error": error.message, "hint": error.hint}]


def _entry(function: "Function") -> JsonObject:
    server, _, name = function.full_name.removeprefix("mcp.").partition(".")
    return {
        "name": f"{server}.{name}",
        "server": server,
        "access": function.access,
        "summary": function.summary,
    }


def _name(function: str, value: Json, example: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip().removeprefix("app.").removeprefix("mcp.")
    message = f'{function} takes a name, for example {function}("{example}")'
    raise InvalidArguments(message)
