"""The Lua table `mcp`: which servers there are and what they offer. What calls them is in the prelude."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import InvalidArguments, KosmoError
from kosmo_lua.values import MCP_PREFIX, Json, JsonObject

if TYPE_CHECKING:  # pydantic, only for a server that is used
    from kosmo_lua.integration import Function


def functions(catalog: Catalog) -> Mapping[str, Callable[..., Json]]:
    """Return mcp.servers, mcp.tools and mcp.schema."""
    servers = catalog.servers

    def listed() -> Json:
        return [{**state} for state in servers.states()] if servers else []

    def tools(server: Json = None) -> Json:
        if server is not None:
            return _tools_of(catalog, _name("mcp.tools", server, "github"))
        names = servers.names if servers else ()
        return [entry for name in names for entry in _tools_or_problem(catalog, name)]

    def schema(tool: Json = None) -> Json:
        name = _name("mcp.schema", tool, "github.create_issue")
        return catalog.resolve(f"{MCP_PREFIX}{name}").function.schema()

    return {"servers": listed, "tools": tools, "schema": schema}


def _tools_of(catalog: Catalog, name: str) -> list[Json]:
    return [_entry(each) for each in catalog.integration(f"{MCP_PREFIX}{name}").functions.values()]


def _tools_or_problem(catalog: Catalog, name: str) -> list[Json]:
    """Return the tools of a server; one that fails costs only itself, and says why."""
    try:
        return _tools_of(catalog, name)
    except KosmoError as error:
        return [{"server": name, "code": error.code, "error": error.message, "hint": error.hint}]


def _entry(function: "Function") -> JsonObject:
    server, _, name = function.full_name.removeprefix(MCP_PREFIX).partition(".")
    return {
        "name": f"{server}.{name}",
        "server": server,
        "access": function.access,
        "summary": function.summary,
    }


def _name(function: str, value: Json, example: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip().removeprefix("app.").removeprefix(MCP_PREFIX)
    message = f'{function} takes a name, for example {function}("{example}")'
    raise InvalidArguments(message)
