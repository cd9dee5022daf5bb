"""Tool, Reply and Toolbox: what a gateway serves, whoever speaks the protocol."""

from typing import NamedTuple, Protocol

from kosmo_lua.errors import KosmoError
from kosmo_lua.gateway.scripts import Ticket
from kosmo_lua.values import JsonObject


class Tool(NamedTuple):
    """A tool as a client sees it."""

    name: str
    title: str
    description: str
    schema: JsonObject
    """The JSON Schema of its arguments, an object."""
    writes: bool = False
    """Whether it may change something: the client is told to ask its user."""
    remote: bool = True
    """Whether it reaches a service."""


class Reply(NamedTuple):
    """The reply to a call: a text that is readable on its own, and the same as facts."""

    text: str
    facts: JsonObject | None = None
    failed: bool = False

    @classmethod
    def of(cls, error: KosmoError) -> "Reply":
        """Say what went wrong, and what to do."""
        hint = f"\nhint: {error.hint}" if error.hint else ""
        return cls(f"error: {error.message}{hint}", failed=True)


class Toolbox(Protocol):
    """The tools of a gateway."""

    @property
    def instructions(self) -> str:
        """How to work with them; loads no integration, as the first answer must be quick."""

    def tools(self) -> list[Tool]:
        """Return them all; may take a moment, and is called on a thread."""

    def call(self, name: str, arguments: JsonObject, ticket: Ticket) -> Reply | None:
        """Call one, on a thread; None: there is none of this name. The ticket stops it."""
