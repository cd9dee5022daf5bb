"""Sandbox: one Lua state for scripts, from which no Python object can be reached.

What makes it tight, and why each part is as it is, stands in docs/decisions/sandbox.md. In short: one
Python function, captured by the prelude, is all that crosses; it takes and returns bytes, integers and
booleans only, and never raises; the memory limit holds only while the script itself runs.
"""

import os
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from lupa import lua54

from kosmo_lua.errors import Interrupted, InvalidArguments, KosmoError, ServiceError
from kosmo_lua.lua.convert import Pieces, digits, from_lua, to_json
from kosmo_lua.lua.limits import Limits, Meter
from kosmo_lua.lua.modules import Modules
from kosmo_lua.lua.script import Script
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # start-up
    from kosmo_lua.journal import Record
    from kosmo_lua.lua.namespace import Namespace

JSON = ("buffer", "scalars", "json", "names", "encode", "decode")
PARTS = (
    *JSON,
    *("text", "failure", "guard", "answer", "bridge", "regex", "modules", "environment", "run"),
)
ROOM = 65536
"""Bytes kept free below the memory limit when a text is handed to Lua, so that pushing it cannot fail."""

_LARGEST = (1 << 63) - 1
"""The largest integer of Lua: what is larger would arrive there as an exception, an object of Python."""

Answer = bool | int | bytes | tuple[bool | None, bytes]


class Sandbox:
    """Runs scripts, one after another; each finds the globals that the last one has left.

    It is made first, which takes most of the time, and then connected: in between a process may fork.
    `watch`: let a hook look after coroutines, where nobody can end the process.
    """

    def __init__(self, *, watch: bool = False) -> None:
        self._pending = b""
        self._number = 0
        self._lock = allocate_lock()
        self._running = False
        self._stop_reason: str | None = None
        self._operations: dict[bytes, Callable[..., Answer]] = {
            name.removeprefix("_do_").encode(): getattr(self, name)
            for name in dir(self)
            if name.startswith("_do_")
        }
        self._lua = lua54.LuaRuntime(
            encoding=None,
            register_eval=False,
            register_builtins=False,
            attribute_handlers=(_deny, _deny),
            unpack_returned_tuples=True,
            max_memory=0,
        )
        parts = [part for name in PARTS for part in (name.encode(), _source(name))]
        self._run, self._finish, address = self._lua.execute(
            _source("bootstrap"), self._operate, watch, *parts, name=b"=[kosmo]", mode=b"t"
        )
        self._state = int(address.split()[1], 16)
        self._lua.gccollect()
        self._base = self._used()

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
        self._host = host
        self._record = record
        self._limits = limits
        self._meter = meter
        self._clock = clock

    def stop(self, reason: str, script: int | None = None) -> None:
        """End the script, from another thread: a limit, or `interrupted`.

        `script`: only if it is still this one; the number of the first is 1, and 256 is 0 again.
        """
        from kosmo_lua.lua.interrupt import interrupt  # noqa: PLC0415  # ctypes, only for an end

        with self._lock:
            if self._running and script in (None, self._number % 256):
                self._stop_reason = reason
                interrupt(self._state)

    def run(self, script: Script) -> JsonObject:
        """Run a script to its end, whatever end that is; return it as the fields of an Ending."""
        if len(script.code) > self._limits.memory:
            self._number += 1
            return self._limits.exceeded("memory_limit")
        self._begin(script)
        try:
            self._run(script.code, _chunk_name(script), to_json([*script.arguments]), script.show)
        except lua54.LuaError:
            if not self._stop_reason:
                raise
            self._release()
            self._finish()
        finally:
            self._release()
        assert self._ending is not None, "the prelude always reports"
        return {**self._ending, "memory": self._meter.peak}

    def _begin(self, script: Script) -> None:
        self._name = script.name
        self._modules = Modules(script.folders)
        self._parts: list[bytes] = []
        self._printed = 0
        self._calls = 0
        self._ending: JsonObject | None = None
        self._meter.reset()
        with self._lock:
            self._number += 1
            self._stop_reason = None
            self._running = True

    def _release(self) -> None:
        """From here on nothing stops the script; a hook that was set is taken away."""
        with self._lock:
            if self._running and self._stop_reason:
                from kosmo_lua.lua.interrupt import release  # noqa: PLC0415  # ctypes, only for an end

                release(self._state)
            self._running = False

    def _operate(self, operation: bytes, *values: bytes) -> Answer:
        """The one function that Lua can call. It must not raise: an exception would be visible there."""
        try:
            return self._operations[operation](*values)
        except KosmoError as error:
            return self._answer(False, to_json(error.facts()))
        except BaseException as error:  # noqa: BLE001  # see above; reported as a defect
            message = f"internal error: {type(error).__name__}: {error}"
            self._ending = {"error": message, "info": {"code": "internal", "type": "internal"}}
            facts: JsonObject = {"code": "internal", "message": message, "effect": "unknown"}
            return self._answer(False, to_json(facts))

    def _answer(self, ok: bool, payload: bytes) -> Answer:  # noqa: FBT001  # Lua's convention: ok first
        """Return a text to Lua if it fits into its memory; else its size, until Lua has made room."""
        used = self._sample()
        limit = self._lua.get_max_memory(total=True)
        if limit and used + len(payload) + ROOM > limit:
            self._pending = payload
            self._pending_ok = ok
            return len(payload)
        return ok, payload

    def _do_take(self) -> Answer:
        return self._answer(self._pending_ok, self._pending)

    def _first(self, pieces: Pieces) -> Answer:
        """Return the first piece of a value; Lua asks for the others."""
        self._pieces = pieces
        return self._answer(True, pieces.head)

    def _do_more(self, index: int) -> Answer:
        with self._uncharged():
            piece = self._pieces.more(index)
        return self._answer(True, piece)

    def _do_digits(self, number: bytes) -> Answer:
        return self._answer(True, digits(number))

    def _do_refuse_value(self, problem: bytes) -> Answer:
        """What a call has returned cannot be a value in Lua."""
        raise ServiceError(f"the answer {problem.decode()}", effect="unknown")

    def _do_start(self) -> Answer:
        """Begin to count; the answer is how long a result may be."""
        self._meter.start(self._clock())
        limit = self._base + self._limits.memory
        if (
            self._number > 1
        ):  # globals of earlier scripts may fill it; there must be room to free them
            self._lua.gccollect()
            limit = max(limit, min(self._used(), limit) + ROOM)
        self._lua.set_max_memory(min(limit, _LARGEST), total=True)
        return min(self._limits.result, _LARGEST)

    def _do_seed(self) -> Answer:
        """A number for math.random; Lua's own would be the same in every child of one process."""
        return int.from_bytes(os.urandom(8), "big", signed=True)

    def _do_stop(self) -> Answer:
        self._sample()
        self._lua.set_max_memory(0)
        return True

    def _do_relax(self) -> Answer:
        """Out of memory, so the run is over: leave room to say so, but not to go on."""
        self._sample()
        self._lua.set_max_memory(self._used() + (1 << 20), total=True)
        return True

    def _over(self, limit: str) -> Answer:
        """End the run. Its reason is a text; where there was no room for it, lupa would stop for good."""
        self._do_relax()
        return None, limit.encode()

    def _used(self) -> int:
        used: int = self._lua.get_memory_used(total=True)
        return used

    def _sample(self) -> int:
        """Take a sample of the memory in use, and return it. After `relax` it may exceed the limit."""
        used = self._used()
        self._meter.remember(min(max(0, used - self._base), self._limits.memory))
        return used

    def _do_reason(self) -> Answer:
        if not self._stop_reason:
            return False
        self._do_relax()
        return self._stop_reason.encode()

    def _do_stopping(self) -> Answer:
        return self._stop_reason is not None

    def _do_print(self, text: bytes) -> Answer:
        self._sample()
        self._printed += len(text) + 1
        if self._printed > self._limits.output:
            return self._over("output_limit")
        self._record(["print", text.decode("utf-8", "replace")])
        return True

    def _do_part(self, text: bytes) -> Answer:
        self._parts.append(text)
        return True

    def _whole(self, last: bytes) -> Any:  # noqa: ANN401  # JSON, whose shape the caller knows
        """Decode what Lua has handed over in parts."""
        if self._parts:
            last = b"".join([*self._parts, last])
            self._parts.clear()
        return from_lua(last)

    def _do_call(self, path: bytes, arguments: bytes) -> Answer:
        return self._call(
            lambda: self._host.call(path.decode("utf-8", "replace"), self._whole(arguments))
        )

    def _do_call_with(self, path: bytes, values: bytes) -> Answer:
        return self._call(
            lambda: self._host.call_with(path.decode("utf-8", "replace"), self._whole(values))
        )

    def _call(self, make: Callable[[], Json]) -> Answer:
        self._calls += 1
        if self._calls > self._limits.calls:
            return self._over("call_limit")
        self._meter.enter(self._clock())
        try:
            pieces = Pieces(make())
        finally:
            self._meter.leave(self._clock())
        return self._first(pieces)

    @contextmanager
    def _uncharged(self) -> Iterator[None]:
        """Do work of the host that does not count as Lua's."""
        self._meter.enter(self._clock())
        try:
            yield
        finally:
            self._meter.leave(self._clock())

    def _do_members(self, path: bytes) -> Answer:
        with self._uncharged():
            pieces = Pieces(self._host.members(path.decode()))
        return self._first(pieces)

    def _do_help(self, name: bytes, values: bytes) -> Answer:
        with self._uncharged():
            helper = self._host.helper(name.decode())
        # The helper's own work is charged, so that a script cannot use it to compute for free.
        return self._first(Pieces(helper(*self._whole(values))))

    def _do_module(self, name: bytes) -> Answer:
        """Load a module: its file, a newline, its text."""
        file, source = self._modules.load(name.decode("utf-8", "replace"))
        return self._answer(True, file.encode() + b"\n" + source)

    def _do_refuse(self, name: bytes, problem: bytes) -> Answer:
        """The arguments of a call cannot be JSON: the sentence says which and why."""
        message = f"{name.decode('utf-8', 'replace')}: {problem.decode('utf-8', 'replace')}"
        raise InvalidArguments(message.removeprefix("integrations."))

    def _do_end(self, ok: bool, payload: bytes, warnings: bytes = b"[]") -> Answer:  # noqa: FBT001
        for sentence in from_lua(warnings) or ():
            self._record(["warning", sentence])
        if ok and len(payload) > self._limits.result:
            self._ending = self._limits.exceeded("result_limit")
        elif ok:
            self._ending = {"result": payload.decode()}
        else:
            self._ending = self._failed(from_lua(payload))
        return True

    def _failed(self, report: dict[str, Any]) -> JsonObject:
        if report.get("limit") == "interrupted":
            return _interrupted(report.get("file"), report.get("line"))
        if "limit" in report:
            return self._limits.exceeded(report["limit"], report.get("file"), report.get("line"))
        info: JsonObject = {"code": "script_error", "type": report["type"]}
        if report["type"] == "syntax":
            info["code"] = "syntax_error"
            report["file"], report["line"] = _location(report["message"], self._name)
        if "details" in report:
            info["details"] = from_lua(report["details"].encode())
        if "origin" in report:
            info |= from_lua(report["origin"].encode())
            del info["message"]
        if info["code"] == "internal":
            info["type"] = "internal"
        info |= {name: report.get(name) for name in ("file", "line", "traceback")}
        return {"error": report["message"], "info": info}


def _source(name: str) -> bytes:
    """Read a part of the prelude; importlib.resources would take longer than the whole run."""
    path = os.path.join(os.path.dirname(__file__), "prelude", f"{name}.lua")  # noqa: PTH118, PTH120  # pathlib is slow to import
    with open(path, "rb") as file:  # noqa: PTH123  # see above
        return file.read()


def _deny(*_: object) -> NoReturn:
    message = "not available"
    raise AttributeError(message)


def _chunk_name(script: Script) -> bytes:
    name = f"={script.name}" if script.name == "eval" else f"@{script.name}"
    return name.encode("utf-8", "backslashreplace")


def _interrupted(file: str | None, line: int | None) -> JsonObject:
    error = Interrupted("SIGINT")
    where = f"{file}:{line}: " if file else ""
    place: JsonObject = {"file": file, "line": line}
    info: JsonObject = {
        "code": error.code,
        "type": "interrupted",
        "details": error.details,
        **place,
    }
    return {"error": where + error.message, "info": info}


def _location(message: str, name: str) -> tuple[str | None, int | None]:
    """Find the line in `workflow.lua:3: unexpected symbol`."""
    line = message.removeprefix(f"{name}:").partition(":")[0]
    return (name, int(line)) if message.startswith(f"{name}:") and line.isdigit() else (None, None)
