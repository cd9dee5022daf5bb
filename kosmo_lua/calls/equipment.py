"""Equipment: what a call is given before it goes out, its client and an identity for what it sends."""

from collections.abc import Callable
from functools import cached_property
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.clients import Clients
from kosmo_lua.identity import Fresh
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from kosmo_lua.http import Api, Exchange
    from kosmo_lua.http.exchange import Identity
    from kosmo_lua.results import Access
    from kosmo_lua.runs import Run

_FRESH = Fresh()


class Equipment:
    """Equips the calls of one run, and stops those that it has equipped."""

    def __init__(
        self,
        clients: Clients,
        *,
        retry_budget: float,
        run: "Run | None",
        unsent: "frozenset[Access]",
    ) -> None:
        self._clients = clients
        self._retry_budget = retry_budget
        self._run = run
        self._unsent = unsent
        self._stopped = Flag()
        self._sleep = _sleep(self._stopped)

    def equip(self, call: Call) -> "tuple[Api[Any], Exchange]":
        """Give a call the client of its account, and what it sends an identity.

        Raises:
            CredentialsMissing, ConfigError: the client lacks a credential, or a setting cannot be used.
        """
        access = call.target.function.access
        call.api = self._clients.of(call.target)
        call.exchange = self._exchange(
            identity=self.identity(call.name, call.target.account, call.arguments),
            watch=call.reporter,
            sleep=self._sleep,
            writes=access == "write",
            dry_run=access in self._unsent,
            retry_budget=self._retry_budget,
        )
        return call.api, call.exchange

    @cached_property
    def _exchange(self) -> "type[Exchange]":
        from kosmo_lua.http import Exchange  # noqa: PLC0415  # httpx, as above

        return Exchange

    @property
    def repeats(self) -> bool:
        """Whether what is sent is named by its arguments, because the run can be repeated."""
        return self._run is not None

    def identity(self, name: str, account: str, arguments: JsonObject) -> "Identity":
        """Return the identity of what the next call with these arguments sends."""
        return self._run.identity(name, account, arguments) if self._run else _FRESH

    def stop(self) -> None:
        """The run is over: what waits does not go on, and nothing more is sent."""
        self._stopped.set()

    def resume(self) -> None:
        """Another script begins; what an earlier one has left behind stays stopped."""
        if self._stopped.is_set():
            self._stopped = Flag()
            self._sleep = _sleep(self._stopped)


def _sleep(stopped: Flag) -> Callable[[float], bool]:
    return lambda seconds: not (stopped.wait(seconds) if seconds else stopped.is_set())
