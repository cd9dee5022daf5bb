"""Requests: what is asked of a server, with all pages of its lists."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

import mcp_types as types
from mcp import MCPError
from pydantic import BaseModel, TypeAdapter

from kosmo_lua.mcp import content
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:
    from kosmo_lua.mcp.session import Progress, Session

_MOST_PAGES = 1000
"""Of a list; a server whose list never ends is cut there."""

_ToolAnswer: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)


class _Page(Protocol):
    next_cursor: str | None


Page = TypeVar("Page", bound=_Page)


async def list_tools(session: "Session") -> list[JsonObject]:
    """Return all tools, each as it came."""
    if session.client.server_capabilities.tools is None:
        return []
    return [
        _wire(tool)
        for page in await _pages(lambda cursor: session.client.list_tools(cursor=cursor))
        for tool in page.tools
    ]


async def call_tool(
    session: "Session", name: str, arguments: JsonObject, on_progress: "Progress"
) -> Json:
    """Return what a tool answers with.

    Not by the SDK's own method: that one lists the tools again, to check an answer that is there by then.
    """

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        on_progress(progress, total, message)

    request = types.CallToolRequest(
        params=types.CallToolRequestParams(name=name, arguments=arguments)
    )

    async def send() -> types.CallToolResult | types.InputRequiredResult:
        return await session.client.session.send_request(
            request, _ToolAnswer, progress_callback=tell
        )

    try:
        result = await send()
    except MCPError as error:
        if error.code != types.HEADER_MISMATCH:
            raise
        # The server wants some arguments as headers too, has not looked at the call, and its list says which.
        # Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
        await list_tools(session)
        result = await send()
    if isinstance(result, types.InputRequiredResult):
        raise session.asked_back()
    if result.is_error:
        raise session.refused(result)
    return content.result_of(result)


async def list_resources(session: "Session") -> list[JsonObject]:
    """Return all resources, and after them all templates, each as it came."""
    client = session.client
    if client.server_capabilities.resources is None:
        return []
    resources = await _pages(lambda cursor: client.list_resources(cursor=cursor))
    templates = await _pages(lambda cursor: client.list_resource_templates(cursor=cursor))
    found = [_wire(resource) for page in resources for resource in page.resources]
    return found + [_wire(item) for page in templates for item in page.resource_templates]


async def read_resource(session: "Session", uri: str) -> list[JsonObject]:
    """Return the contents of a resource."""
    result = await session.client.read_resource(uri)
    return [content.contents_of(contents) for contents in result.contents]


async def list_prompts(session: "Session") -> list[JsonObject]:
    """Return all prompts, each as it came."""
    client = session.client
    if client.server_capabilities.prompts is None:
        return []
    pages = await _pages(lambda cursor: client.list_prompts(cursor=cursor))
    return [_wire(prompt) for page in pages for prompt in page.prompts]


async def get_prompt(session: "Session", name: str, arguments: dict[str, str]) -> JsonObject:
    """Return the messages of a prompt."""
    return content.prompt_of(await session.client.get_prompt(name, arguments))


async def _pages(fetch: Callable[[str | None], Awaitable[Page]]) -> list[Page]:
    """Return all pages of a list; none, if the server does not know of such a list.

    Source: https://modelcontextprotocol.io/specification/2025-11-25/server/utilities/pagination
    """
    pages = list[Page]()
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        try:
            page = await fetch(cursor)
        except MCPError as error:
            if error.code == types.METHOD_NOT_FOUND and not pages:
                return []
            raise
        pages.append(page)
        if page.next_cursor is None or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return pages


def _wire(model: BaseModel) -> JsonObject:
    fields: JsonObject = model.model_dump(by_alias=True, mode="json", exclude_none=True)
    return fields
