"""Sandbox: one Lua state for scripts, from which no Python object can be reached.

What makes it tight, and why each part is as it is, stands in docs/decisions/sandbox.md. In short: one
Python function, captured by the prelude, is all that crosses; it takes and returns bytes, integers and
booleans only, and never raises; the memory limit holds only while the script itself runs.
"""

import os
from _thread import allocate_lock
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from lupa import lua54

from kosmo_lua.lua.convert import to_json
from kosmo_lua.lua.limits import Limits, Meter
from kosmo_lua.lua.memory import Memory
from kosmo_lua.lua.operations import Operations
from kosmo_lua.lua.script import Script
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # start-up
    from kosmo_lua.journal import Record
    from kosmo_lua.lua.namespace import Namespace

PARTS = (
    *("buffer", "scalars", "json", "names", "encode", "decode", "text", "failure", "options"),
    *("guard", "planned", "answer", "tasks", "bridge", "parallel", "mcp", "regex", "modules"),
    *("environment", "run"),
)


class Sandbox:
    """Runs scripts, one after another; each finds the globals that the last one has left.

    It is made first, which takes most of the time, and then connected: in between a process may fork.
    `watch`: let a hook look after coroutines, where nobody can end the process.
    """

    def __init__(self, *, watch: bool = False) -> None:
        self._number = 0
        self._lock = allocate_lock()
        self._running = False
        self._operations = Operations()
        lua = lua54.LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            attribute_handlers=(_deny, _deny),
            unpack_returned_tuples=True,
            max_memory=0,
        )
        parts = [part for name in PARTS for part in (name.encode(), _source(name))]
        operate = self._operations.operate
        self._run, self._finish, address = lua.execute(
            _source("bootstrap"), operate, watch, *parts, name=b"=[kosmo]", mode=b"t"
        )
        self._state = int(address.split()[1], 16)
        self._memory = Memory(lua)

    def connect(
        self,
        host: "Namespace",
        record: "Record",
        limits: Limits,
        meter: Meter,
        *,
        clock: Callable[[], float],
    ) -> None:
        """Say what the scripts may reach and use, before the first one runs."""
        self._limits = limits
        self._meter = meter
        self._operations.connect(host, record, limits, meter, clock)

    def stop(self, reason: str, script: int | None = None) -> None:
        """End the script, from another thread: a limit, or `interrupted`.

        `script`: only if it is still this one; the number of the first is 1, and 256 is 0 again.
        """
        from kosmo_lua.lua.interrupt import interrupt  # noqa: PLC0415  # ctypes, only for an end

        with self._lock:
            if self._running and script in (None, self._number % 256):
                self._operations.stop_reason = reason
                interrupt(self._state)
                self._operations.host.abandon()  # a call that waits need not wait any longer

    def run(self, script: Script) -> JsonObject:
        """Run a script to its end, whatever end that is; return it as the fields of an Ending."""
        self._begin(script)
        try:
            if len(script.code) > self._limits.memory:
                return self._limits.exceeded("memory_limit")
            self._run(script.code, _chunk_name(script), to_json([*script.arguments]), script.show)
        except lua54.LuaError:
            if not self._operations.stop_reason:
                raise
            self._release()
            self._finish()
        finally:
            self._release()
        assert self._operations.ending is not None, "the prelude always reports"
        return {**self._operations.ending, "memory": self._meter.peak}

    def _begin(self, script: Script) -> None:
        self._operations.begin(script, self._memory)
        with self._lock:
            self._number += 1
            self._operations.stop_reason = None
            self._running = True

    def _release(self) -> None:
        """From here on nothing stops the script; a hook that was set is taken away."""
        with self._lock:
            if self._running and self._operations.stop_reason:
                from kosmo_lua.lua.interrupt import release  # noqa: PLC0415  # ctypes, only for an end

                release(self._state)
            self._running = False


def _source(name: str) -> bytes:
    """Read a part of the prelude; importlib.resources would take longer than the whole run."""
    path = os.path.join(os.path.dirname(__file__), "prelude", f"{name}.lua")
    with open(path, "rb") as file:
        return file.read()


def _deny(*_: object) -> NoReturn:
    message = "not available"
    raise AttributeError(message)


def _chunk_name(script: Script) -> bytes:
    name = f"={script.name}" if script.name == "eval" else f"@{script.name}"
    return name.encode("utf-8", "backslashreplace")
