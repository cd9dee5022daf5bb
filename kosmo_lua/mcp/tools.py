"""Tools as functions, so that Lua, the command line, docs and policy treat them as those of integrations."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kosmo_lua.errors import ApprovalRequired, UnknownFunction
from kosmo_lua.integration import Credentials, Function, Integration
from kosmo_lua.integration.sample import sample_of
from kosmo_lua.lua_source import lua_literal
from kosmo_lua.mcp.api import Begin, ServerApi
from kosmo_lua.mcp.contact import Contact
from kosmo_lua.mcp.listing import Listing
from kosmo_lua.mcp.names import lua_names
from kosmo_lua.mcp.schema import Schema
from kosmo_lua.mcp.words import cleaned, quoted
from kosmo_lua.results import Access
from kosmo_lua.values import MCP_PREFIX, Json, JsonObject

_SHORT = 120
"""Characters of a summary."""


class NoSettings(Credentials):
    """A server has no settings of an account: its configuration says what it needs."""


def integration_of(
    alias: str, listing: Listing, api: Callable[[Any], ServerApi]
) -> Integration[ServerApi]:
    """Return a server as an integration whose functions are its tools; `api` makes its ServerApi."""
    names = lua_names(str(tool["name"]) for tool in listing.tools)
    integration = Integration[ServerApi](
        name=f"{MCP_PREFIX}{alias}",
        title=cleaned(listing.title or alias),
        summary=_sentence(listing.instructions or "") or f"The MCP server {alias}.",
        credentials=NoSettings,
        api=api,
        guide=_guide(listing, names),
    )
    for tool in listing.tools:
        function = _function(integration.name, names[str(tool["name"])], tool)
        integration.functions.setdefault(function.name, function)
    return integration


def access_of(tool: JsonObject) -> Access:
    """Return what a tool does: it writes, unless the server says that it only reads."""
    annotations = tool.get("annotations")
    reads = isinstance(annotations, dict) and annotations.get("readOnlyHint") is True
    return "read" if reads else "write"


def _function(integration: str, name: str, tool: JsonObject) -> Function:
    original, text = str(tool["name"]), cleaned(str(tool.get("description") or ""), lines=True)
    schema = Schema(tool.get("inputSchema"))
    summary = _sentence(text) or cleaned(str(tool.get("title") or original))
    return Function(
        integration=integration,
        name=name,
        aliases=tuple(
            dict.fromkeys(n for n in (original, name.lower()) if n != name and _can_be_shown(n))
        ),
        access=access_of(tool),
        credential=None,
        summary=summary,
        description=text if text != summary else "",
        returns=_returns(tool),
        examples=(_example(integration, name, schema.json),),
        source=None,
        schema=lambda: {"type": "object", "properties": {}, **schema.json},
        validate=schema.check,
        invoke=partial(_call, tool),
    )


def _can_be_shown(name: str) -> bool:
    """Whether a server's own name of a tool may be spelt in docs; else the tool has its Lua name only."""
    return name.isprintable() and not {"`", "|"} & {*name}


def _call(tool: JsonObject, api: ServerApi, arguments: JsonObject) -> Json:
    name = str(tool["name"])

    def work(contact: Contact, begin: Begin) -> Json:
        checked = _checked_again(tool, contact.current(name), arguments)
        answer: Json = contact.connection.call_tool(name, checked, begin, api.steps())
        return answer

    answer: Json = api.ask("tools/call", {"name": name, "arguments": arguments}, work)
    return answer


def _checked_again(tool: JsonObject, now: JsonObject | None, arguments: JsonObject) -> JsonObject:
    """Return the arguments for a tool as the server lists it now; what was kept of it may be old.

    Raises:
        UnknownFunction: it is gone.
        ApprovalRequired: it did not write, and now it does.
        InvalidArguments: they do not fit any more.
    """
    if now is None:
        raise UnknownFunction("the server has this tool no longer", hint="Its list was renewed.")
    if access_of(now) == "write" and access_of(tool) == "read":
        message = "the tool only read when it was listed, and now it writes; nothing was sent"
        raise ApprovalRequired(message, hint="Its list was renewed: run it again.")
    if now.get("inputSchema") == tool.get("inputSchema"):
        return arguments
    return Schema(now.get("inputSchema")).check(arguments)


def _returns(tool: JsonObject) -> str:
    schema = tool.get("outputSchema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if isinstance(properties, dict) and properties:
        names = ", ".join(f"`{_name(name)}`" for name in properties)
        return f"a table with {names}."
    return "what the tool answers: a table where it is structured or JSON, else its text or its blocks."


def _example(integration: str, name: str, schema: JsonObject) -> str:
    arguments = lua_literal(sample_of(schema))
    return f"dump(app.{integration}.{name}({arguments}))"


def _guide(listing: Listing, names: Mapping[str, str]) -> str:
    text = cleaned(listing.instructions or "", lines=True)
    parts = [f"## Instructions of the server\n\n{quoted(text)}"] if text else []
    changed = [f"- `{_name(name)}` is `{own}`" for name, own in names.items() if own != name]
    if changed:
        parts.append("\n".join(["## Names in Lua\n", *changed]))
    return "\n\n".join(parts)


def _name(name: str) -> str:
    return cleaned(name).replace("`", "'")


def _sentence(text: str) -> str:
    """Return the first sentence of a text."""
    line = cleaned(text.strip().partition("\n")[0]).lstrip("# ")  # a title in Markdown
    first = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0]
    return first if len(first) <= _SHORT else first[: _SHORT - 3] + "..."
