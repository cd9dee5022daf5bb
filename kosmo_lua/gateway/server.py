"""The official SDK's server over a toolbox."""

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from kosmo_lua import __version__
from kosmo_lua.gateway.scripts import Ticket
from kosmo_lua.gateway.tools import Reply, Tool, Toolbox

AT_ONCE = 16
"""So many calls run at once; the others wait."""

_Context = ServerRequestContext[object, object]


def make_server(toolbox: Toolbox) -> Server[object]:
    """Return a server whose tools are those of the toolbox."""
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def list_tools(
        _: _Context, __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tools = await anyio.to_thread.run_sync(toolbox.tools)
        return types.ListToolsResult(tools=[_tool(tool) for tool in tools])

    async def call_tool(_: _Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        ticket = Ticket()
        arguments = params.arguments or {}
        try:
            reply = await anyio.to_thread.run_sync(
                lambda: toolbox.call(params.name, arguments, ticket),
                abandon_on_cancel=True,
                limiter=limiter,
            )
        except anyio.get_cancelled_exc_class():  # by the client, or it has gone
            ticket.stop()
            raise
        if reply is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:100]}")
        return _result(reply)

    return Server(
        "kosmo",
        version=__version__,
        title="kosmo",
        instructions=toolbox.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _tool(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        title=tool.title,
        read_only_hint=not tool.writes,
        destructive_hint=tool.writes,
        idempotent_hint=not tool.writes,
        open_world_hint=tool.remote,
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=hints,
    )


def _result(reply: Reply) -> types.CallToolResult:
    text = types.TextContent(type="text", text=reply.text)
    return types.CallToolResult(
        content=[text], structured_content=reply.facts, is_error=reply.failed
    )
