"""Offer: what the gateway offers, and within which bounds."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from kosmo_lua.errors import ExtraMissing, UsageError

NESTED = "KOSMO_GATEWAY"
"""The variable that the processes below a gateway have: none of them serves another one."""

TOKEN = "KOSMO_MCP_TOKEN"  # noqa: S105  # the name of the variable
"""The variable with the token of an HTTP server; no script and no other server gets it."""

SMALLEST = 1000
"""Characters of the smallest reply that still says what happened."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What the options of `mcp:serve` say."""

    expose: Literal["code", "tools"] = "code"
    """The four tools of code mode, or each function as a tool."""
    writes: bool = True
    """Whether there are tools that write."""
    only: tuple[str, ...] | None = None
    """The names of the integrations that are offered; None: all."""
    upstreams: tuple[str, ...] | None = None
    """The names of the MCP servers that are offered; None: all."""
    max_result_chars: int = 50_000
    """Characters of the JSON of a reply; `SMALLEST` at least."""


def require_sdk() -> None:
    """Return when the SDK is installed.

    Raises:
        ExtraMissing: it is not.
    """
    if importlib.util.find_spec("mcp") is None:
        message = "MCP needs the package mcp, which is not installed."
        raise ExtraMissing(message, hint='pip install "kosmo-lua[mcp]"')


def refuse_nested(environ: Mapping[str, str]) -> None:
    """Return when this process is not itself part of a gateway.

    Raises:
        UsageError: it is: a gateway that had itself among its servers would start itself without end.
    """
    if environ.get(NESTED):
        message = "this gateway was started by a gateway, as one of its own MCP servers"
        raise UsageError(message, hint="Remove the server whose command is `kosmo mcp:serve`.")
