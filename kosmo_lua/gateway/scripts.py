"""Scripts: runs the scripts of calls, each in a process of its own, several at once, and ends them."""

from collections.abc import Sequence
from threading import Condition, Lock
from typing import TYPE_CHECKING

from kosmo_lua.errors import Interrupted

if TYPE_CHECKING:  # only named here
    from kosmo_lua.kosmo import Kosmo
    from kosmo_lua.results import Result
    from kosmo_lua.session import Session

ENDING = 0.8
"""Seconds that scripts get to end with the gateway: they are killed, and this is for their commands."""


class Ticket:
    """Lets one call be stopped, before its script runs and while it does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stopped = False
        self._session: Session | None = None

    def hold(self, session: "Session") -> None:
        """Take the session in which the script is about to run."""
        with self._lock:
            self._session = session
            if self._stopped:
                session.stop()

    def stop(self) -> None:
        """End the script, whatever it does; nothing is sent afterwards. From any thread."""
        with self._lock:
            self._stopped = True
            if self._session:
                self._session.stop()


class Scripts:
    """Runs scripts until `end`."""

    def __init__(self) -> None:
        self._running: set[Ticket] = set()
        self._changed = Condition()
        self._ended = False

    def run(
        self,
        kosmo: "Kosmo",
        code: str,
        ticket: Ticket,
        *,
        name: str,
        arguments: Sequence[str] = (),
    ) -> "Result":
        """Run a script, and return its Result; see `Kosmo.run`.

        Raises:
            Interrupted: the gateway has ended.
        """
        with self._changed:
            if self._ended:
                raise Interrupted("stop")
            self._running.add(ticket)
        try:
            with kosmo.session() as session:
                ticket.hold(session)
                return session.run(code, name=name, arguments=arguments)
        finally:
            with self._changed:
                self._running.discard(ticket)
                self._changed.notify_all()

    def end(self) -> None:
        """End every script, and wait until they have ended; no other one begins."""
        with self._changed:
            self._ended = True
            running = [*self._running]
        for ticket in running:
            ticket.stop()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=ENDING)
