"""Each function as a tool of its own, for clients that shall know every one: `--expose tools`."""

import hashlib
import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import InvalidArguments, KosmoError
from kosmo_lua.gateway.offer import Offer
from kosmo_lua.gateway.replies import error_reply, reply
from kosmo_lua.gateway.scripts import Scripts, Ticket
from kosmo_lua.gateway.tools import Reply, Tool
from kosmo_lua.values import MCP_PREFIX, Json, JsonObject

if TYPE_CHECKING:  # only named here
    from collections.abc import Iterator

    from kosmo_lua.integration import Function, Integration
    from kosmo_lua.kosmo import Kosmo

LONGEST = 64
"""Characters of a tool's name that every client takes."""

ACCOUNT = "_account"
"""The argument that selects an account."""

_CALL = """local place = app
for at = 2, #arg do place = place[arg[at]] end
return place(json.decode(arg[1], {null = true}))"""
"""Calls the function whose path `arg` has, after the arguments as JSON: no text of a client is ever code."""

INSTRUCTIONS = (
    "kosmo calls SaaS APIs. Each tool is one function; its argument _account selects an account."
)


class FunctionTools:
    """A tool for each function of the integrations; `writer` None takes away those that write."""

    def __init__(
        self, reader: "Kosmo", writer: "Kosmo | None", scripts: Scripts, offer: Offer
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scripts = scripts
        self._offer = offer

    @property
    def instructions(self) -> str:
        """How to work with them."""
        return INSTRUCTIONS

    @cached_property
    def _functions(self) -> "dict[str, Function]":
        found = dict[str, "Function"]()
        for function in self._offered():
            name = tool_name(function)
            if name in found:  # `a__b` of the server `c` and `b` of the server `c__a`
                name = _hashed(name, function.full_name)
            found.setdefault(name, function)
        return found

    def _offered(self) -> "Iterator[Function]":
        """Yield the functions; what an iterator gives, the function that lists a page gives, too."""
        for integration in self._integrations():
            for function in integration.functions.values():
                if not function.lists and (self._writer or function.access == "read"):
                    yield function

    def _integrations(self) -> "Iterator[Integration[Any]]":
        """Yield the integrations, and the MCP servers; one that cannot be reached costs only itself."""
        catalog = self._reader.catalog
        for integration in catalog.integrations.values():
            if self._reader.config.enabled(integration.name):
                yield integration
        for name in catalog.servers.names if catalog.servers else ():
            try:
                yield catalog.integration(f"{MCP_PREFIX}{name}")
            except KosmoError as error:
                sys.stderr.write(f"kosmo mcp:serve: mcp.{name} is not offered: {error.message}\n")

    def tools(self) -> list[Tool]:
        """Return a tool for each function."""
        return [_tool(name, function) for name, function in self._functions.items()]

    def call(self, name: str, arguments: JsonObject, ticket: Ticket) -> Reply | None:
        """Call a function by the name of its tool; None: there is none of this name."""
        function = self._functions.get(name)
        if function is None:
            return None
        try:
            return self._call(function, arguments, ticket)
        except KosmoError as error:
            return error_reply(error, self._offer.max_result_chars)

    def _call(self, function: "Function", arguments: JsonObject, ticket: Ticket) -> Reply:
        kosmo = self._reader if function.access == "read" else self._writer
        assert kosmo is not None, "its tool is offered"
        path = function.lua_path.split(".")[1:]
        if not function.is_tool:
            arguments = {**arguments}
            path.insert(-1, _taken_account(arguments))
        result = self._scripts.run(
            kosmo, _CALL, ticket, name=path[-1], arguments=[json.dumps(arguments), *path]
        )
        info = result.error_info
        if info and result.error:  # the line is that of the script above, which nobody wrote
            error = result.error.removeprefix(f"{info.file}:{info.line}: ")
            info = info._replace(file=None, line=None, traceback=None)
            result = result._replace(error=error, error_info=info)
        return reply(result, self._offer.max_result_chars)


def tool_name(function: "Function") -> str:
    """Return the name of a function's tool: `integration__posthog__list_persons`, `mcp__S__T`.

    One that is too long ends with a hash of the whole name, so that it is the same every time.
    """
    place = function.integration.removeprefix(MCP_PREFIX)
    if function.is_tool:
        whole = f"mcp__{place}__{function.name}"
    else:
        whole = f"integration__{place}__{function.name.removeprefix(f'{place}_')}"
    return whole if len(whole) <= LONGEST else _hashed(whole, whole)


def _hashed(name: str, identity: str) -> str:
    """Return a name that ends with a hash."""
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return f"{name[: LONGEST - len(digest) - 1]}_{digest}"


def _tool(name: str, function: "Function") -> Tool:
    schema = function.schema()
    properties = schema.get("properties")
    account: Json = {
        "type": "string",
        "description": "The account to use; without it the default one.",
    }
    own: JsonObject = {} if function.is_tool else {ACCOUNT: account}
    schema = {
        **schema,
        "type": "object",
        "properties": {**(properties if isinstance(properties, dict) else {}), **own},
    }
    parts = [function.summary, function.description, f"Returns: {function.returns}"]
    description = "\n\n".join(part for part in parts if part and part != "Returns: ")
    writes = function.access == "write"
    return Tool(name, function.full_name, description, schema, writes=writes)


def _taken_account(arguments: JsonObject) -> str:
    """Take the account out of the arguments, and return it."""
    account = arguments.pop(ACCOUNT, "default")
    if not isinstance(account, str) or not account:
        raise InvalidArguments(f"{ACCOUNT} must be the name of an account")
    return account
