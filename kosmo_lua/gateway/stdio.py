"""The gateway over stdin and stdout, on which there is nothing but the protocol."""

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def serve_stdio(server: Server[object]) -> None:
    """Serve the client at stdin and stdout until it closes stdin."""
    # The SDK keeps the two descriptors for itself: what anything else prints goes to stderr.
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())
