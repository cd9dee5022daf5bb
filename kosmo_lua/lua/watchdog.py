"""Runs a script in a thread of this process, and ends it at its limits as far as a thread can be ended.

A script in Lua code stops within milliseconds. One inside a C function (a pathological pattern) or a
call that does not return cannot be stopped: then the run ends with its error, and the thread is left behind.
"""

import threading
import time
from collections.abc import Callable

from kosmo_lua.journal import Ending, Record
from kosmo_lua.lua import clocks
from kosmo_lua.lua.limits import GRACE, Budget, Limits, Meter
from kosmo_lua.lua.namespace import Namespace
from kosmo_lua.lua.sandbox import Sandbox
from kosmo_lua.lua.script import Script


def run_in_thread(
    script: Script,
    host: Namespace,
    record: Record,
    limits: Limits,
    *,
    on_start: Callable[[Budget], None],
) -> Ending:
    """Run the script and return its ending. `on_start` gets the budget, to let the clock stand."""
    return _Run(script, host, record, limits).watch(on_start)


class _Run:
    """One script and its thread."""

    def __init__(self, script: Script, host: Namespace, record: Record, limits: Limits) -> None:
        self._limits = limits
        self._meter = Meter([0.0] * 4)
        self._script = script
        self._sandbox = Sandbox(
            host, record, limits, self._meter, clock=clocks.own_thread(), watch=True
        )
        self._clock: clocks.Clock = float  # zero, until the thread has one
        self._ending: Ending | None = None
        self._failure: BaseException | None = None
        # Not Thread.join: one that Ctrl-C interrupts takes the thread for ended, before Python 3.13.
        self._ended = threading.Event()

    def _work(self) -> None:
        self._clock = clocks.thread()
        try:
            self._ending = Ending.of(self._sandbox.run(self._script))
        except BaseException as error:  # noqa: BLE001  # re-raised in the caller's thread
            self._failure = error
        finally:
            self._ended.set()

    def watch(self, on_start: Callable[[Budget], None]) -> Ending:
        budget = Budget(self._limits, self._meter, time.monotonic())
        on_start(budget)
        try:
            threading.Thread(target=self._work, name="kosmo-script", daemon=True).start()
            while not self._ended.is_set():
                now, cpu = time.monotonic(), self._clock()
                if limit := budget.exceeded(now, cpu):
                    return self._stop(limit)
                self._ended.wait(budget.patience(now, cpu))
        except BaseException:
            self._stop("wall_limit")  # the caller is leaving: nobody will see the ending
            raise
        return self._result()

    def _stop(self, limit: str) -> Ending:
        self._sandbox.stop(limit)
        if not self._ended.wait(GRACE):
            return Ending.of(self._limits.exceeded(limit), memory=self._meter.peak)
        return self._result()

    def _result(self) -> Ending:
        if self._failure:
            raise self._failure
        assert self._ending is not None, "the thread has ended"
        return self._ending
