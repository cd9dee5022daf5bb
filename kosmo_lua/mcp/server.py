"""Server: what a configuration says about one MCP server, and what it takes to reach it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TIMEOUT = 60.0
"""Seconds that an answer may take, unless the configuration says otherwise."""


_RESERVED = ("read", "write")
"""What a rule of the policy would take for all reads, or all writes, of MCP: `mcp.write`."""


def alias_of(name: str) -> str:
    """Return the name of a server as Lua has it, if no other has it: `my-server` as my_server."""
    alias = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"_{alias}" if alias[0].isdigit() or alias in _RESERVED else alias


@dataclass(frozen=True, kw_only=True)
class Server:
    """An MCP server as a file defines it: references such as `${TOKEN}` are not expanded."""

    name: str
    """As in the file, such as `my-server`."""
    alias: str
    """As in Lua: `my_server`."""
    source: str
    """The path of the file that defines it."""
    project: str | None
    """The folder of the project whose file it is; None: it is the user's own, and needs no trust."""
    kind: Literal["stdio", "http"]
    command: str | None = None
    args: tuple[str, ...] = field(default=(), repr=False)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str | None = None
    url: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = TIMEOUT
    enabled: bool = True

    @property
    def handle(self) -> str:
        """What a command calls it: its name, unless another server has that for its alias."""
        return self.name if self.alias == alias_of(self.name) else self.alias


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What it takes to reach a server: a command, or an address. All references are expanded."""

    name: str
    """The server's name in errors."""
    command: tuple[str, ...] = field(default=(), repr=False)
    """The program and its arguments; empty: it is reached at `url`."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The whole environment of the program."""
    cwd: str | None = None
    url: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = TIMEOUT
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What no error, log or recording may show: every value that came from a reference; the longest first."""
