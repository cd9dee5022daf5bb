"""Call: one call on its way, and what the journal learns of it."""

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.recording import Made
from kosmo_lua.catalog import Target
from kosmo_lua.errors import Effect
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from collections.abc import Callable

    from kosmo_lua.http import Api, Exchange
    from kosmo_lua.journal import Record
    from kosmo_lua.results import Reason


class Reporter:
    """Reports to the journal what one call does while it goes on.

    The exchange of a call has it, and no way to the call: as a cycle both would stay in memory for long.
    """

    def __init__(self, number: int, record: "Record") -> None:
        self._number = number
        self._record = record

    def sends(self) -> None:
        """Record that a request is about to leave the machine."""
        self._record(["send", self._number])

    def waits(self, seconds: float, reason: "Reason", status: int | None, effect: Effect) -> None:
        """Record that the call waits, and what is known of what it has sent."""
        milliseconds = round(seconds * 1000, 1)
        self._record(["wait", self._number, milliseconds, reason, status, effect])

    def progresses(self, done: float, total: float | None, message: str | None) -> None:
        """Record how far the work on the call is."""
        self._record(["step", self._number, done, total, message])


class Call:
    """One call on its way."""

    checked: Any = None
    """The arguments, once they were checked."""
    api: "Api[Any] | None" = None
    exchange: "Exchange | None" = None
    events: int | None = None
    """How many events of a batch it sends, when it is none of the script's own calls."""
    queued = False
    """Whether its event goes out in a batch."""
    more = False
    """Whether another page follows, once this one was read."""

    def __init__(
        self, number: int, target: Target, arguments: JsonObject, record: "Record", name: str
    ) -> None:
        self.number = number
        self.target = target
        self.arguments = arguments
        self.name = name
        self.page = 1 if target.function.pages else 0
        """Which page of a list it reads."""
        self.started = time.perf_counter()
        self._record = record

    @property
    def made(self) -> Made:
        """The call as a recording tells it from others."""
        name = self.target.function.full_name  # an iterator has pages, unlike what lists one
        return Made(name, self.target.account, self.arguments, self.page, self.queued)

    @property
    def reporter(self) -> Reporter:
        """Who reports to the journal what it does while it goes on."""
        return Reporter(self.number, self._record)

    @property
    def effect(self) -> Effect:
        """What is known of what it has sent."""
        return self.exchange.effect if self.exchange else "none"

    def warn(self) -> None:
        """Record what its function has to say beside its result."""
        if self.exchange and self.exchange.warnings and self.api:
            for sentence in self.exchange.warnings:
                self._record(["warning", self.api.conceal(sentence)])
            self.exchange.warnings.clear()

    def ended(self, problem: Json) -> None:
        """Record how it ended."""
        effect, status, attempts = "none", None, 0
        if self.exchange and self.api:
            effect, status = self.exchange.effect, self.exchange.status
            attempts = self.exchange.attempts
            self.warn()
        duration = round((time.perf_counter() - self.started) * 1000, 1)
        self._record(["answer", self.number, effect, status, attempts, duration, problem])


_SORTED = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def digest(arguments: JsonObject) -> str:
    """Return what tells the same arguments from others, in the audit log."""
    text = _SORTED.encode(arguments).encode("utf-8", "surrogatepass")
    found: str = _sha256()(text).hexdigest()
    return found


@cache
def _sha256() -> "Callable[[bytes], Any]":
    from hashlib import sha256  # noqa: PLC0415  # only with an audit log

    return sha256
