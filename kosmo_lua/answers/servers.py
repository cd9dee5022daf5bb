"""MCP servers as they are: the answers of `mcp:status`, `mcp:doctor` and `mcp:tools`."""

from typing import Literal, NamedTuple

from kosmo_lua.answers.catalog import FunctionEntry


class ServerState(NamedTuple):
    """What is known of a server without contacting it.

    `tools`: how many it has; null: nobody has listed them. `trust` is `own` (the user's own file defines it),
    `trusted`, `changed` since it was trusted, or `untrusted`.
    """

    name: str
    server: str
    type: str
    enabled: bool
    trust: str
    tools: int | None
    source: str


class ServerStates(NamedTuple):
    """What `mcp:status` shows."""

    servers: tuple[ServerState, ...]


class ServerDiagnosis(NamedTuple):
    """What a server said when it was contacted, why it was not, and the commands that mend it or go on."""

    state: Literal["works", "failed", "untrusted", "disabled"]
    message: str
    tools: int | None
    duration_ms: float | None
    next_commands: tuple[str, ...]


class ServerDiagnoses(NamedTuple):
    """What `mcp:doctor` found."""

    servers: dict[str, ServerDiagnosis]


class ServerTools(NamedTuple):
    """The tools of a server; `error`: why they are not known."""

    title: str
    tools: tuple[FunctionEntry, ...]
    error: str | None


class ToolList(NamedTuple):
    """What `mcp:tools` shows."""

    servers: dict[str, ServerTools]
