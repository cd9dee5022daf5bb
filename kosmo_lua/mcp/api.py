"""ServerApi: what the functions of an MCP server call, as those of an integration call its Api."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kosmo_lua.dry_run import NotSent, PlannedRequest
from kosmo_lua.errors import Interrupted, KosmoError
from kosmo_lua.http import Api
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.mcp.contact import Contact


UNKNOWN = "The write may or may not have happened; check before you call it again."


EVERY = 0.1
"""Seconds between what is passed on of a server's progress."""

OnProgress = Callable[[float, float | None, str | None], None]
"""Is told what is done, of how much, and a message."""

Begin = Callable[[], None]
"""To be called before a request leaves."""

Work = Callable[["Contact", Begin], Any]
"""Makes a request over the connection of a contact."""


class ServerApi(Api["Contact"]):
    """Calls one server, in the session of a run."""

    def __init__(self, name: str, contact: "Contact") -> None:
        super().__init__(contact)  # it is what knows the secrets
        self.title = f"The MCP server {name}"
        self._name = name
        self._contact = contact

    def steps(self) -> OnProgress:
        """Return who is told how far a server is with the call that this thread makes."""
        watch, last = self.exchange.watch, float("-inf")

        def told(done: float, total: float | None, message: str | None) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= EVERY:  # a server may tell a thousand times a second
                last = now
                watch.progresses(done, total, self.conceal(message) if message else None)

        return told

    def ask(self, method: str, parameters: JsonObject, work: Work) -> Any:  # noqa: ANN401  # what `work` returns
        """Make one request, and note what became of it.

        Raises:
            KosmoError: `effect` says what is known.
            NotSent: instead of sending anything, in a dry run.
        """
        exchange = self.exchange
        if exchange.dry_run:
            raise NotSent(PlannedRequest(method, self._name, {}, parameters))
        try:
            answer = work(self._contact, exchange.begin)
        except KosmoError as failure:
            cut = isinstance(failure, Interrupted) and exchange.tries > 0
            exchange.note(method, "unknown" if cut else failure.effect)
            if exchange.writes and exchange.effect == "unknown":
                failure.hint = failure.hint or UNKNOWN
            raise
        except BaseException:  # Ctrl-C: nobody waits for the answer any more
            exchange.note(method, "unknown" if exchange.tries else "none")
            raise
        exchange.note(method, "sent")
        return answer
