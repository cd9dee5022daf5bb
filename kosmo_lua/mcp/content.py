"""Content: what a server answers with, as the JSON that scripts see.

Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
"""

import json
from collections.abc import Iterable
from typing import NoReturn

import mcp_types as types

from kosmo_lua.values import Json, JsonObject


def result_of(result: types.CallToolResult) -> Json:
    """Return what a tool answered with.

    Structured content where there is some, as it came (the official SDK wraps what is no object as
    `{result = ...}`). Else a single text: decoded if it is JSON of an object or a list, else as it is. Else
    the list of the blocks; None if there are none.
    """
    if result.structured_content is not None:
        structured: Json = result.structured_content
        return structured
    if not result.content:
        return None
    if len(result.content) == 1 and result.content[0].type == "text":
        return _decoded(result.content[0].text)
    return blocks_of(result.content)


def words_of(result: types.CallToolResult) -> str:
    """Return the texts of an answer, as one."""
    return "\n".join(block.text for block in result.content if block.type == "text")


def blocks_of(blocks: Iterable[types.ContentBlock]) -> list[Json]:
    """Return the blocks of an answer, each an object whose `type` says what it is."""
    return [block_of(block) for block in blocks]


def block_of(block: types.ContentBlock) -> JsonObject:
    """Return one block: `{type, text}`, `{type, mime_type, data}` with data in Base64, and so on."""
    if block.type == "text":
        return {"type": "text", "text": block.text}
    if block.type == "resource":
        return {"type": "resource", "resource": contents_of(block.resource)}
    if block.type == "resource_link":
        return {
            "type": "resource_link",
            "uri": block.uri,
            "name": block.name,
            "mime_type": block.mime_type,
            "description": block.description,
        }
    return {"type": block.type, "mime_type": block.mime_type, "data": block.data}


def contents_of(
    contents: types.TextResourceContents | types.BlobResourceContents,
) -> JsonObject:
    """Return the contents of a resource: `{uri, mime_type, text}`, or with `data` in Base64."""
    facts: JsonObject = {"uri": contents.uri, "mime_type": contents.mime_type}
    if isinstance(contents, types.BlobResourceContents):
        return {**facts, "data": contents.blob}
    return {**facts, "text": contents.text}


def prompt_of(result: types.GetPromptResult) -> JsonObject:
    """Return a prompt: `{description, messages = {{role, content}}}`."""
    messages: list[Json] = [
        {"role": message.role, "content": block_of(message.content)} for message in result.messages
    ]
    return {"description": result.description, "messages": messages}


def _decoded(text: str) -> Json:
    """Decode a text that is JSON of an object or a list, strictly; any other stays what it is."""
    if text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return text
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no JSON"
    raise ValueError(message)
