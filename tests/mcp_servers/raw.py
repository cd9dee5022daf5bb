"""What the servers without the SDK share: JSON-RPC over stdin and stdout, one message a line.

Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

TOOLS = [{"name": "echo", "inputSchema": {"type": "object", "properties": {}}}]


def messages() -> Iterator[dict[str, Any]]:
    """Yield what the client says."""
    for line in sys.stdin:
        yield json.loads(line)


def send(**message: Any) -> None:
    """Say something to the client."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(message: dict[str, Any], version: str) -> None:
    """Answer as a server that speaks this version of the protocol, and has one tool, `echo`."""
    number, method = message.get("id"), message["method"]
    if number is None:
        return
    if method == "initialize":
        info = {"name": "raw", "version": "1"}
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        send(id=number, result=result)
    elif method == "tools/list":
        send(id=number, result={"tools": TOOLS})
    elif method == "tools/call":
        given = json.dumps(message["params"].get("arguments", {}))
        send(id=number, result={"content": [{"type": "text", "text": given}]})
    else:
        send(id=number, error={"code": -32601, "message": f"Method not found: {method}"})
