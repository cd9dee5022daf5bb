"""An MCP server for tests, written with the official SDK: `python library.py [--http]`.

Over stdio, or over streamable HTTP on a free port of loopback: then it prints the port in a line of its
own; `--json` answers with JSON instead of a stream, and `--legacy` speaks no version of the protocol after
2025. Settings come from the environment:

    NOTES       the file that `note` appends to, and that `slow` writes `cancelled` to
    PAGE_SIZE   how many tools, resources and prompts a page of their lists has; all, unless it is set
    TOKEN       over HTTP: what the header Authorization must say after `Bearer `
"""

import argparse
import json
import os
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import anyio
import mcp_types as types
import uvicorn
from mcp import MCPError
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

BIG = 5 * 1024 * 1024
"""Characters of the text that `big` answers with."""

PIXEL = b64encode(b"\x89PNG\r\n\x1a\n").decode()
SOUND = b64encode(b"RIFF....WAVE").decode()
BYTES = b64encode(bytes(range(256))).decode()

Context = ServerRequestContext[dict[str, Any]]
Answer = types.CallToolResult
Item = TypeVar("Item")

Tool = Callable[[Context, dict[str, Any]], Awaitable[Answer]]
tools = dict[str, tuple[types.Tool, Tool]]()


def tool(
    name: str, properties: dict[str, Any] | None = None, **parts: Any
) -> Callable[[Tool], Tool]:
    """Offer a function as a tool; its docstring is the description."""

    def offer(function: Tool) -> Tool:
        declared = properties or {}
        schema = {"type": "object", "properties": declared, "required": list(declared)}
        schema = parts.pop("schema", schema)
        description = function.__doc__
        tools[name] = (
            types.Tool(name=name, description=description, input_schema=schema, **parts),
            function,
        )
        return function

    return offer


def text(words: str) -> Answer:
    """Answer with one text."""
    return Answer(content=[types.TextContent(type="text", text=words)])


READ = types.ToolAnnotations(read_only_hint=True)
NUMBER = {"type": "number"}
TEXT = {"type": "string"}


@tool(
    "add",
    {"a": NUMBER, "b": NUMBER},
    title="Add",
    annotations=READ,
    output_schema={"type": "object", "properties": {"sum": NUMBER}, "required": ["sum"]},
)
async def add(_context: Context, given: dict[str, Any]) -> Answer:
    """Add two numbers."""
    result = given["a"] + given["b"]
    content = [types.TextContent(type="text", text=f"the sum is {result}")]
    return Answer(content=list(content), structured_content={"sum": result})


@tool("echo", {"text": TEXT}, annotations=READ)
async def echo(_context: Context, given: dict[str, Any]) -> Answer:
    """Say what was said."""
    return text(given["text"])


@tool("note", {"text": TEXT})
async def note(_context: Context, given: dict[str, Any]) -> Answer:
    """Write a line down: a write, and no hint says that it is none."""
    write_down(given["text"])
    return text("noted")


def write_down(line: str) -> None:
    """Append a line to the file NOTES."""
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(line + "\n")


@tool("json_text", annotations=READ)
async def json_text(_context: Context, _given: dict[str, Any]) -> Answer:
    """Answer with a text that is JSON."""
    return text(json.dumps({"books": [{"title": "Momo", "year": 1973}], "next": None}))


@tool("many_blocks", annotations=READ)
async def many_blocks(_context: Context, _given: dict[str, Any]) -> Answer:
    """Answer with a block of every kind."""
    cover = types.BlobResourceContents(
        uri="library://cover", mime_type="application/octet-stream", blob=BYTES
    )
    page = types.TextResourceContents(uri="library://page", mime_type="text/plain", text="Once")
    return Answer(
        content=[
            types.TextContent(type="text", text="Look:"),
            types.ImageContent(type="image", data=PIXEL, mime_type="image/png"),
            types.AudioContent(type="audio", data=SOUND, mime_type="audio/wav"),
            types.EmbeddedResource(type="resource", resource=page),
            types.EmbeddedResource(type="resource", resource=cover),
            types.ResourceLink(type="resource_link", uri="library://shelf", name="shelf"),
        ]
    )


@tool("nothing", annotations=READ)
async def nothing(_context: Context, _given: dict[str, Any]) -> Answer:
    """Answer with no content."""
    return Answer(content=[])


@tool("fail", {"reason": TEXT}, annotations=READ)
async def fail(_context: Context, given: dict[str, Any]) -> Answer:
    """Answer that it went wrong."""
    return Answer(content=text(given["reason"]).content, is_error=True)


@tool("boom", {"code": {"type": "integer"}}, annotations=READ)
async def boom(_context: Context, given: dict[str, Any]) -> Answer:
    """Answer with an error of the protocol."""
    raise MCPError(code=given["code"], message="the shelf fell over", data={"shelf": 3})


@tool("big", annotations=READ)
async def big(_context: Context, _given: dict[str, Any]) -> Answer:
    """Answer with 5 MiB of text."""
    return text("x" * BIG)


@tool("slow", {"seconds": NUMBER, "steps": {"type": "integer"}}, annotations=READ)
async def slow(context: Context, given: dict[str, Any]) -> Answer:
    """Take a while, and report progress after each step."""
    steps = given["steps"]
    if given.get("started"):
        write_down("started")
    try:
        for step in range(1, steps + 1):
            await anyio.sleep(given["seconds"] / steps)
            await context.session.report_progress(step, steps, f"step {step}")
    except anyio.get_cancelled_exc_class():
        write_down("cancelled")
        raise
    return text("done")


@tool("crash")
async def crash(_context: Context, _given: dict[str, Any]) -> Answer:
    """Write a line down, and end the server in the middle of the call."""
    write_down("crash")
    os.write(2, b"\x1b[31mFATAL\x1b[0m: the roof is gone\n")
    os._exit(7)


@tool("odd-name.v2", annotations=READ)
async def odd_name(_context: Context, _given: dict[str, Any]) -> Answer:
    """Have a name that is none in Lua."""
    return text("odd-name.v2")


@tool("odd_name_v2", annotations=READ)
async def odd_name_too(_context: Context, _given: dict[str, Any]) -> Answer:
    """Have the name that the other one would get in Lua."""
    return text("odd_name_v2")


@tool("environment", annotations=READ)
async def environment(_context: Context, _given: dict[str, Any]) -> Answer:
    """Tell the environment of the server."""
    return Answer(content=[], structured_content=dict(os.environ))


@tool(
    "headers",
    annotations=READ,
    schema={
        "type": "object",
        "properties": {"shelf": {"type": "string", "x-mcp-header": "Shelf"}},
    },
)
async def headers(context: Context, _given: dict[str, Any]) -> Answer:
    """Tell the headers that the request came with, over HTTP; the newest clients send `shelf` as one too."""
    request = context.request
    assert isinstance(request, Request)
    return Answer(content=[], structured_content=dict(request.headers))


@tool(
    "strict",
    annotations=READ,
    schema={
        "type": "object",
        "properties": {
            "kind": {"enum": ["book", "film"], "description": "What it is."},
            "count": {"type": "integer", "minimum": 1, "default": 1},
            "by": {
                "type": "object",
                "properties": {"name": TEXT, "born": {"type": "integer"}},
                "required": ["name"],
                "additionalProperties": False,
            },
            "id": {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^[A-Z]+$"}]},
        },
        "required": ["kind"],
        "additionalProperties": False,
    },
)
async def strict(_context: Context, given: dict[str, Any]) -> Answer:
    """Take arguments of a schema with everything in it."""
    return Answer(content=[], structured_content={"given": given})


RESOURCES = [
    types.Resource(uri="library://shelf", name="shelf", mime_type="text/plain", title="The shelf"),
    types.Resource(uri="library://cover", name="cover", mime_type="application/octet-stream"),
]
TEMPLATES = [types.ResourceTemplate(uri_template="library://books/{title}", name="book")]
PROMPTS = [
    types.Prompt(
        name="review",
        description="Asks for a review of a book.",
        arguments=[
            types.PromptArgument(name="title", description="Of the book.", required=True),
            types.PromptArgument(name="tone"),
        ],
    ),
    types.Prompt(name="hello"),
]


def page(items: Sequence[Item], asked: types.PaginatedRequestParams | None) -> tuple[Any, Any]:
    """Return the items of a page, and the cursor of the next one."""
    size = int(os.environ.get("PAGE_SIZE", "0")) or len(items)
    first = int(asked.cursor) if asked and asked.cursor else 0
    rest = first + size
    return list(items[first:rest]), str(rest) if rest < len(items) else None


async def list_tools(_context: Context, asked: Any) -> types.ListToolsResult:
    """Answer tools/list."""
    items, cursor = page([tool for tool, _ in tools.values()], asked)
    return types.ListToolsResult(tools=items, next_cursor=cursor)


async def call_tool(context: Context, asked: types.CallToolRequestParams) -> Answer:
    """Answer tools/call."""
    if asked.name not in tools:
        raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown tool: {asked.name}")
    return await tools[asked.name][1](context, asked.arguments or {})


async def list_resources(_context: Context, asked: Any) -> types.ListResourcesResult:
    """Answer resources/list."""
    items, cursor = page(RESOURCES, asked)
    return types.ListResourcesResult(resources=items, next_cursor=cursor)


async def list_templates(_context: Context, asked: Any) -> types.ListResourceTemplatesResult:
    """Answer resources/templates/list."""
    items, cursor = page(TEMPLATES, asked)
    return types.ListResourceTemplatesResult(resource_templates=items, next_cursor=cursor)


async def read_resource(
    _context: Context, asked: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """Answer resources/read."""
    uri = str(asked.uri)
    content: types.TextResourceContents | types.BlobResourceContents
    if uri == "library://cover":
        kind = "application/octet-stream"
        content = types.BlobResourceContents(uri=uri, mime_type=kind, blob=BYTES)
    elif uri == "library://shelf" or uri.startswith("library://books/"):
        words = f"This is {uri.removeprefix('library://')}."
        content = types.TextResourceContents(uri=uri, mime_type="text/plain", text=words)
    else:
        raise MCPError(code=types.INVALID_PARAMS, message=f"Unknown resource: {uri}")
    return types.ReadResourceResult(contents=[content])


async def list_prompts(_context: Context, asked: Any) -> types.ListPromptsResult:
    """Answer prompts/list."""
    items, cursor = page(PROMPTS, asked)
    return types.ListPromptsResult(prompts=items, next_cursor=cursor)


async def get_prompt(
    _context: Context, asked: types.GetPromptRequestParams
) -> types.GetPromptResult:
    """Answer prompts/get."""
    given = asked.arguments or {}
    if asked.name == "review" and "title" not in given:
        raise MCPError(code=types.INVALID_PARAMS, message="Missing argument: title")
    words = f"Please review {given.get('title')} in a {given.get('tone', 'kind')} tone."
    message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=words))
    return types.GetPromptResult(description="A review.", messages=[message])


def input_schema(name: str) -> dict[str, Any] | None:
    """Return the schema that the headers of a call are checked with."""
    return tools[name][0].input_schema if name in tools else None


server = Server(
    "library",
    get_tool_input_schema=input_schema,
    version="1.0",
    title="The library",
    instructions="Ask for books.",
    on_list_tools=list_tools,
    on_call_tool=call_tool,
    on_list_resources=list_resources,
    on_list_resource_templates=list_templates,
    on_read_resource=read_resource,
    on_list_prompts=list_prompts,
    on_get_prompt=get_prompt,
)


async def serve_stdio() -> None:
    """Serve one client on stdin and stdout."""
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


class Guarded:
    """Lets in who has the TOKEN. A legacy server does not know what the newest clients ask first."""

    def __init__(self, app: ASGIApp, *, legacy: bool) -> None:
        self._app = app
        self._legacy = legacy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or let the request through."""
        headers = Request(scope).headers if scope["type"] == "http" else {}
        token = os.environ.get("TOKEN")
        sent = headers.get("Authorization")
        if headers and token and sent != f"Bearer {token}":
            words = {"error": "invalid_token", "sent": sent}
            await JSONResponse(words, status_code=401)(scope, receive, send)
            return
        if self._legacy and headers.get("Mcp-Method") == "server/discover":
            await JSONResponse({"detail": "Not Found"}, status_code=404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def serve_http(*, json_response: bool, legacy: bool) -> None:
    """Serve HTTP on a free port, which is printed."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)  # noqa: T201  # what the test reads
    app = Guarded(server.streamable_http_app(json_response=json_response), legacy=legacy)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run([listening])


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--legacy", action="store_true")
    arguments = parser.parse_args()
    if arguments.http:
        serve_http(json_response=arguments.json, legacy=arguments.legacy)
    else:
        anyio.run(serve_stdio)


if __name__ == "__main__":
    main()
