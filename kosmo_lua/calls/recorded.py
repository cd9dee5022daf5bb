"""What a recording has instead of accounts and MCP servers."""

from typing import TYPE_CHECKING, Any, NoReturn

from kosmo_lua.accounts import DEFAULT, Accounts
from kosmo_lua.calls.tape import Tape
from kosmo_lua.errors import NotRecorded
from kosmo_lua.values import MCP_PREFIX, JsonObject

if TYPE_CHECKING:  # importing it loads pydantic
    from kosmo_lua.integration import Function, Integration


class RecordedAccounts(Accounts):
    """The accounts that a recording has: no variable and no file is asked for one."""

    def __init__(self, tape: Tape) -> None:
        super().__init__({})
        self._tape = tape

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's accounts, `default` first."""
        return [DEFAULT, *sorted(self._tape.accounts.get(integration, set()) - {DEFAULT})]


class RecordedServers:
    """The MCP servers that a recording has, with the tools that were called: none is contacted."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.problems: list[str] = []

    @property
    def names(self) -> list[str]:
        """Their names."""
        called = (name.split(".") for name in self._tape.tools)
        return sorted({server for _, server, *_ in called})

    def states(self) -> list[JsonObject]:
        """Return that they are recorded."""
        return [{"name": name, "server": name, "type": "recorded"} for name in self.names]

    def integration(self, name: str) -> "Integration[Any]":
        """Return a server with the tools that were called.

        Raises:
            NotRecorded: none was.
        """
        from kosmo_lua.integration import Credentials, Integration  # noqa: PLC0415  # pydantic

        if name not in self.names:
            message = f"no call of the MCP server {name} was recorded"
            raise NotRecorded(message, hint="Record the run again, or mend the script.")
        server = f"{MCP_PREFIX}{name}"
        tools = {
            full_name.removeprefix(f"{server}."): self._function(server, full_name)
            for full_name in self._tape.tools
            if full_name.startswith(f"{server}.")
        }
        return Integration(server, name, "", Credentials, _never, functions=tools)

    def known(self, name: str) -> "Integration[Any]":
        """Return the same."""
        return self.integration(name)

    def method(self, name: str, method: str) -> "tuple[Integration[Any], Function]":
        """Return a server and a request of the protocol that was recorded."""
        server = self.integration(name)
        return server, self._function(server.name, f"{server.name}.{method}")

    def _function(self, server: str, full_name: str) -> "Function":
        from kosmo_lua.integration import Function  # noqa: PLC0415  # the same

        tool: Any = self._tape.tools.get(full_name, {})
        parameters: JsonObject = {name: {} for name in tool.get("parameters", ())}
        schema: JsonObject = {"type": "object", "properties": parameters}
        return Function(
            integration=server,
            name=full_name.removeprefix(f"{server}."),
            aliases=tuple(tool.get("aliases", ())),
            access=tool.get("access", "write"),
            credential=None,
            summary="",
            description="",
            returns="",
            examples=(),
            source=None,
            schema=lambda: schema,
            validate=lambda arguments: arguments,
            invoke=_never,
        )

    def cancel(self) -> None:
        """There is nothing to cancel."""

    def close(self) -> None:
        """There is nothing to end."""


def _never(*_: object) -> NoReturn:
    """A replay makes no client and invokes nothing."""
    raise NotImplementedError
