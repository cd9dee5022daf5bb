"""Session: one Lua state in which scripts run one after another."""

import time
from _thread import allocate_lock
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from kosmo_lua.errors import KosmoError, UsageError
from kosmo_lua.isolation import PLACES, InServer, Isolation, Setup
from kosmo_lua.lua.script import Script

if TYPE_CHECKING:  # start-up
    from kosmo_lua.journal import Recorder
    from kosmo_lua.progress import Progress
    from kosmo_lua.results import Result
    from kosmo_lua.run_events import RunEvent


class Session:
    """One Lua state: what a script leaves in its globals, the next one finds there.

    The limits count for each script anew; what the globals hold counts towards the memory of all. Of two
    threads that run a script at once one waits.
    """

    def __init__(self, setup: Setup, isolation: Isolation) -> None:
        self._place = PLACES[isolation](setup)
        self._setup = setup
        self._turn = allocate_lock()
        self._begun = False

    @property
    def lost(self) -> bool:
        """Whether the last script could only be ended with its state: the next one begins with a new one."""
        return self._place.lost

    def run(  # noqa: PLR0913  # options, all with a default
        self,
        code: str | bytes,
        *,
        name: str = "eval",
        arguments: Sequence[str] = (),
        folders: Sequence[str] = (),
        on_output: Callable[[str], None] | None = None,
        on_event: "Callable[[RunEvent], None] | None" = None,
        on_progress: "Callable[[Progress], None] | None" = None,
        show: bool = False,
    ) -> "Result":
        """Run a Lua program; see `Kosmo.run`. `show` prints the values of an expression or a `return`."""
        started = time.perf_counter()
        text = code.encode() if isinstance(code, str) else code
        script = Script(text, name, tuple(arguments), tuple(folders), show)
        options = self._setup.backend.options

        def recorder() -> "Recorder":
            from kosmo_lua.journal import Recorder  # noqa: PLC0415  # start-up
            from kosmo_lua.listeners import Listeners  # noqa: PLC0415  # the same

            return Recorder(
                started=started,
                forced=options.force,
                dry_run=options.dry_run,
                listeners=Listeners(on_output, on_event, on_progress),
                audit=self._setup.audit,
                run_id=options.run_id,
            )

        try:
            script.check()
            with self._turn:
                if not self._begun:
                    self._setup.backend.begin()
                    self._begun = True
                return self._place.run(script, recorder)
        except KosmoError as error:
            from kosmo_lua.endings import failed  # noqa: PLC0415  # only for errors

            return recorder().result(failed(error))

    def stop(self) -> None:
        """End the script that runs, from another thread, and let no other one run in this session.

        Its Result has the error `interrupted`.

        Raises:
            UsageError: the isolation is not `"process"`.
        """
        if not isinstance(self._place, InServer):
            message = "only a session in a process of its own can be stopped"
            raise UsageError(message, hint='Use Kosmo(isolation="process").')
        self._place.stop()

    def close(self) -> None:
        """End the Lua state, and close its connections."""
        self._place.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
