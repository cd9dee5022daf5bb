"""The MCP server of tag_waiting_customers.lua, written with the official SDK: the tickets of a help desk."""

from dataclasses import dataclass
from typing import Literal

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations


@dataclass
class Ticket:
    """A question of a customer."""

    id: int
    customer: str
    state: Literal["open", "closed"]
    subject: str


TICKETS = [
    Ticket(1, "user-42", "open", "Where is my parcel?"),
    Ticket(2, "user-43", "closed", "Thank you"),
    Ticket(3, "user-42", "open", "It is here, but empty"),
    Ticket(4, "user-44", "open", "An invoice, please"),
]
READS = ToolAnnotations(read_only_hint=True)

server = MCPServer("helpdesk", instructions="Lists the tickets of a help desk.")


@server.tool(annotations=READS)
def list_tickets(state: Literal["open", "closed"] = "open") -> list[Ticket]:
    """List the tickets in a state."""
    return [ticket for ticket in TICKETS if ticket.state == state]


if __name__ == "__main__":
    server.run()
