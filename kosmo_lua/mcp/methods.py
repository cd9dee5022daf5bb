"""Requests of the protocol that are no tools, as functions: resources and prompts.

Source: https://modelcontextprotocol.io/specification/2025-11-25/server
"""

import re
from collections.abc import Callable
from typing import Any

from kosmo_lua.integration import Function
from kosmo_lua.mcp.api import Begin, ServerApi
from kosmo_lua.mcp.contact import Contact
from kosmo_lua.mcp.schema import Schema
from kosmo_lua.values import Json, JsonObject


def method_of(integration: str, name: str) -> Function | None:
    """Return a request of the protocol that is no tool, such as `resources/read`, as a function."""
    if name not in _METHODS:
        return None
    summary, schema, invoke = _METHODS[name]
    return Function(
        integration=integration,
        name=name,
        access="read",
        credential=None,
        summary=summary,
        description="",
        returns="",
        examples=(),
        source="https://modelcontextprotocol.io/specification",
        schema=lambda: schema.json,
        validate=schema.check,
        invoke=invoke,
    )


def _method(name: str, work: Callable[[Contact, Any], Any]) -> Any:  # noqa: ANN401  # the `invoke` of a function
    def invoke(api: ServerApi, arguments: JsonObject) -> Json:
        def request(contact: Contact, begin: Begin) -> Json:
            begin()
            answer: Json = work(contact, arguments)
            return answer

        answer: Json = api.ask(name, arguments, request)
        return answer

    return invoke


def _parameters(*required: str, **properties: JsonObject) -> Schema:
    return Schema(
        {
            "type": "object",
            "properties": {**properties},
            "required": [*required],
            "additionalProperties": False,
        }
    )


def _spelt(facts: JsonObject) -> JsonObject:
    """Return the facts of a resource in the spelling of all other results: `mime_type`."""
    return {
        re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name): value
        for name, value in facts.items()
    }


_TEXT: JsonObject = {"type": "string"}
_METHODS = {
    "resources/list": (
        "List the resources.",
        _parameters(),
        _method(
            "resources/list",
            lambda contact, _: [_spelt(each) for each in contact.connection.resources()],
        ),
    ),
    "resources/read": (
        "Read a resource.",
        _parameters("uri", uri=_TEXT),
        _method(
            "resources/read", lambda contact, given: contact.connection.read_resource(given["uri"])
        ),
    ),
    "prompts/list": (
        "List the prompts.",
        _parameters(),
        _method("prompts/list", lambda contact, _: contact.connection.prompts()),
    ),
    "prompts/get": (
        "Fill in a prompt.",
        _parameters(
            "name",
            name=_TEXT,
            arguments={"type": "object", "additionalProperties": {"type": "string"}},
        ),
        _method(
            "prompts/get",
            lambda contact, given: contact.connection.get_prompt(
                given["name"], given.get("arguments") or {}
            ),
        ),
    ),
}
