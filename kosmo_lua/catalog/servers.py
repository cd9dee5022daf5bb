"""What the catalog knows of MCP servers: `kosmo_lua.mcp` has the real ones, a recording those of its run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # importing it loads pydantic, which only a server that is used may do
    from kosmo_lua.integration import Function, Integration
    from kosmo_lua.values import JsonObject


class Servers(Protocol):
    """MCP servers as integrations."""

    @property
    def names(self) -> Sequence[str]:
        """Their Lua names; none is contacted."""

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with the files that define them."""

    def states(self) -> "Sequence[JsonObject]":
        """Return what is known of each, without contacting any."""

    def integration(self, name: str) -> "Integration[Any]":
        """Return one with its tools; it is contacted if it must be.

        Raises:
            KosmoError: there is none, it may not be contacted, or it cannot be.
        """

    def known(self, name: str) -> "Integration[Any] | None":
        """Return one if its tools are known already, and it may be used."""

    def method(self, name: str, method: str) -> "tuple[Integration[Any], Function]":
        """Return one, and a request of the protocol that is no tool, such as `resources/read`."""

    def cancel(self) -> None:
        """Tell them that nobody waits for what they work on."""

    def close(self) -> None:
        """End every session."""
