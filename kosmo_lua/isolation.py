"""Where scripts run: in a thread of this process, in a child of it, or in a child of a server.

Each place keeps one Lua state for the scripts that run there one after another, and makes a new one after a
script that could only be ended with its state; `lost` says so.
"""

import os
from typing import TYPE_CHECKING, Literal

from kosmo_lua.backend import Backend
from kosmo_lua.errors import Interrupted
from kosmo_lua.lua.limits import Limits
from kosmo_lua.lua.script import Script
from kosmo_lua.lua.stop import Stop, Wakeup, signals

if TYPE_CHECKING:  # start-up: each is loaded when a script runs
    from collections.abc import Callable
    from typing import Protocol

    from kosmo_lua.emulator import Emulator
    from kosmo_lua.journal import Recorder
    from kosmo_lua.lua.child import Child
    from kosmo_lua.lua.process import Process
    from kosmo_lua.lua.watchdog import Watchdog
    from kosmo_lua.policy import Ask
    from kosmo_lua.results import Result
    from kosmo_lua.values import Json

    class Place(Protocol):
        """Somewhere where scripts run."""

        lost: bool
        """Whether the Lua state of the last script is gone."""

        def run(self, script: Script, make_recorder: Callable[[], Recorder]) -> Result:
            """Run a script."""

        def close(self) -> None:
            """End what runs, and close connections."""


Isolation = Literal["thread", "process", "fork"]


class Setup:
    """What every place needs to run scripts. `keep`: Ctrl-C stops a script and keeps its Lua state."""

    def __init__(
        self,
        backend: Backend,
        limits: Limits,
        *,
        ask: "Ask | None",
        emulator: "Callable[[], Emulator] | None",
        audit: str | None,
        keep: bool,
    ) -> None:
        self.backend = backend
        self.limits = limits
        self.ask = ask
        self.emulator = emulator
        self.audit = audit
        self.keep = keep


class InThread:
    """In a thread of this process."""

    def __init__(self, setup: Setup) -> None:
        self.lost = False
        self._setup = setup
        self._watchdog: Watchdog | None = None

    def run(self, script: Script, make_recorder: "Callable[[], Recorder]") -> "Result":
        """Run a script."""
        from kosmo_lua.lua.watchdog import Watchdog  # noqa: PLC0415  # lupa, only for a run

        if self._watchdog is None:
            setup = self._setup
            self._watchdog = Watchdog(setup.backend, setup.limits, setup.ask)
        recorder = make_recorder()
        recorder.begin()
        ending = self._watchdog.run(script, recorder)
        recorder.queued = self._watchdog.queued
        self.lost = not self._watchdog.alive
        if self.lost:
            self.close()
        return recorder.result(ending)

    def close(self) -> None:
        """Close connections."""
        if self._watchdog:
            self._watchdog.close()
        self._watchdog = None


class _InProcess:
    """In another process, which this one supervises."""

    def __init__(self, setup: Setup) -> None:
        self.lost = False
        self._setup = setup
        self._process: Process | None = None

    def _watch(
        self,
        script: Script,
        make_recorder: "Callable[[], Recorder]",
        *,
        wakeup: Wakeup | None = None,
        stopper: int | None = None,
    ) -> "Result":
        assert self._process is not None, "it was made just now"
        self._process.start(script)
        # This process loads its part while the child loads Lua.
        from kosmo_lua.lua.supervisor import Supervisor  # noqa: PLC0415  # after the fork

        setup = self._setup
        recorder = make_recorder()
        supervisor = Supervisor(
            self._process,
            setup.limits,
            ask=setup.ask,
            wakeup=wakeup,
            keep=setup.keep,
            stopper=stopper,
        )
        try:
            recorder.begin()
            ending = supervisor.watch(recorder)
            recorder.queued = self._process.meter.queued
        except BaseException:  # the caller is leaving
            supervisor.abandon()
            raise
        finally:
            self.lost = not self._process.alive
            if self.lost:
                self.close()
        return recorder.result(ending)

    def _first_order(self, *, has_environ: bool = False) -> "list[Json]":
        from kosmo_lua.workers import order  # noqa: PLC0415  # only for workers

        setup = self._setup
        asks = setup.ask is not None
        return order(setup.backend.options, setup.limits, asks=asks, has_environ=has_environ)

    def close(self) -> None:
        """End the child."""
        if self._process:
            self._process.close()
        self._process = None


class InFork(_InProcess):
    """In a child of this process, which must have no threads when the child is made.

    The worker of the command, which was forked before, is taken if it is there.
    """

    def run(self, script: Script, make_recorder: "Callable[[], Recorder]") -> "Result":
        """Run a script. A signal ends it."""
        from kosmo_lua.lua.fork import fork  # noqa: PLC0415  # only here

        with signals() as wakeup:
            if self._process is None:
                emulator = self._setup.emulator and self._setup.emulator()
                self._process = self._worker() or fork(self._work)
                if emulator:
                    emulator.start()  # now this process may have threads
            return self._watch(script, make_recorder, wakeup=wakeup)

    def _worker(self) -> "Process | None":
        from kosmo_lua.workers.prefork import take  # noqa: PLC0415  # only here

        worker = take()
        if worker:
            same = self._setup.backend.options.environ == os.environ
            worker.order(self._first_order(has_environ=same))
        return worker

    def _work(self, child: "Child") -> None:
        if self._setup.emulator:
            self._setup.emulator().forget()
        setup = self._setup
        child.run_scripts(setup.backend, setup.limits, asks=setup.ask is not None)


class InServer(_InProcess):
    """In a child of a server, which is started with the first one and serves this whole process."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._stop = Stop()

    def stop(self) -> None:
        """End the script that runs, and run no other; from any thread."""
        self._stop.set()

    def run(self, script: Script, make_recorder: "Callable[[], Recorder]") -> "Result":
        """Run a script."""
        with self._stop.watched() as stopper:
            if self._stop.wanted:
                raise Interrupted("stop")
            return self._run(script, make_recorder, stopper)

    def _run(
        self, script: Script, make_recorder: "Callable[[], Recorder]", stopper: int
    ) -> "Result":
        if self._process is None:
            from kosmo_lua.workers.server import SERVER  # noqa: PLC0415  # only here

            first = self._first_order()
            self._process = SERVER.fork()
            self._process.order(first)
        if not self._setup.keep:
            return self._watch(script, make_recorder, stopper=stopper)
        with signals() as wakeup:
            return self._watch(script, make_recorder, wakeup=wakeup, stopper=stopper)


PLACES: "dict[Isolation, Callable[[Setup], Place]]" = {
    "thread": InThread,
    "process": InServer,
    "fork": InFork,
}
