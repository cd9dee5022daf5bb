"""Operations: what Lua can ask of the host, each of them a method `_do_...` of bytes and integers."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import InvalidArguments, KosmoError, ServiceError
from kosmo_lua.lua.convert import Pieces, digits, from_lua, to_json
from kosmo_lua.lua.ending import failed
from kosmo_lua.lua.flow import Flow
from kosmo_lua.lua.limits import Uncharged
from kosmo_lua.lua.memory import LARGEST, Memory
from kosmo_lua.lua.modules import Modules

if TYPE_CHECKING:  # start-up
    from kosmo_lua.dry_run import PlannedWrite
    from kosmo_lua.journal import Record
    from kosmo_lua.lua.limits import Limits, Meter
    from kosmo_lua.lua.namespace import Namespace
    from kosmo_lua.lua.script import Script
    from kosmo_lua.values import Json, JsonObject

Text = int | tuple[bool, bytes]
"""A text for Lua, after whether it is no error; or its size, while there is no room for it."""

Named = tuple[bool, bytes, bytes]
"""The name and the text of an object's only field, after true."""

Number = tuple[bool, int]
"""A number for Lua, after true: it takes no room."""

Told = tuple[bool | int, bytes | None, int]
"""What a call has come to, as far as it is told, and its number."""

Answer = bool | bytes | Text | Named | Number | Told | tuple[None, bytes]


class Operations:
    """The host's side of the one function that Lua can call, for the script that runs now."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        """Why the script is being stopped from outside: a limit, or `interrupted`."""
        self.ending: JsonObject | None = None
        """How the script ended, as the fields of an Ending."""
        self._scripts = 0
        self._pending = b""
        self._flow = Flow(self)
        self._operations: dict[bytes, Callable[..., Answer]] = {
            name.removeprefix("_do_").encode(): getattr(source, name)
            for source in (self, self._flow)
            for name in dir(source)
            if name.startswith("_do_")
        }

    def connect(
        self,
        host: "Namespace",
        record: "Record",
        limits: "Limits",
        meter: "Meter",
        clock: Callable[[], float],
    ) -> None:
        """Say what the scripts may reach and use."""
        self.host = host
        self._record = record
        self._limits = limits
        self.meter = meter
        self._clock = clock
        self.uncharged = Uncharged(meter, clock)

    def begin(self, script: "Script", memory: Memory) -> None:
        """Begin anew, for a script."""
        self._scripts += 1
        self._name = script.name
        self._memory = memory
        self._modules = Modules(script.folders)
        self._parts: list[bytes] = []
        self._printed = 0
        self._calls = 0
        self.ending = None
        self.meter.reset()
        self._flow.begin()
        self.host.begin()

    def operate(self, operation: bytes, *values: bytes) -> Answer:
        """The one function that Lua can call. It must not raise: an exception would be visible there."""
        try:
            return self._operations[operation](*values)
        except KosmoError as error:
            return self.answer(False, to_json(error.facts()))
        except BaseException as error:  # noqa: BLE001  # Lua would see it; reported as a defect
            message = f"internal error: {type(error).__name__}: {error}"
            self.ending = {"error": message, "info": {"code": "internal", "type": "internal"}}
            facts: JsonObject = {"code": "internal", "message": message, "effect": "unknown"}
            return self.answer(False, to_json(facts))

    def answer(self, ok: bool, payload: bytes) -> Text:  # noqa: FBT001  # Lua's convention: ok first
        """Return a text to Lua if it fits into its memory; else its size, until Lua has made room."""
        if self._memory.fits(len(payload)):
            return ok, payload
        self._pending_ok, self._pending = ok, payload
        return len(payload)

    def _do_take(self) -> Answer:
        return self.answer(self._pending_ok, self._pending)

    def named(self, names: "JsonObject") -> Named | None:
        """Return what names an event, of which Lua makes the answer: sooner than it reads one.

        None: it is more than one text, or not a plain one, or there is no room for it.
        """
        if len(names) == 1:
            [(name, text)] = names.items()
            if isinstance(text, str) and name.isascii() and text.isascii():
                room = self._memory.fits(len(name) + len(text))
                return (True, name.encode(), text.encode()) if room else None
        return None

    def first(self, pieces: Pieces) -> Text:
        """Return the first piece of a value; Lua asks for the others."""
        self._pieces = pieces
        return self.answer(True, pieces.head)

    def _do_more(self, index: int) -> Answer:
        with self.uncharged:
            piece = self._pieces.more(index)
        return self.answer(True, piece)

    def _do_digits(self, number: bytes) -> Answer:
        return self.answer(True, digits(number))

    def _do_refuse_value(self, problem: bytes) -> Answer:
        """What a call has returned cannot be a value in Lua."""
        raise ServiceError(f"the answer {problem.decode()}", effect="unknown")

    def _do_start(self) -> Answer:
        """Begin to count; the answer is how long a result may be."""
        self.meter.start(self._clock())
        self._memory.limit(self._limits.memory, self.meter, kept=self._scripts > 1)
        return min(self._limits.result, LARGEST)

    def _do_seed(self) -> Answer:
        """A number for math.random; Lua's own would be the same in every child of one process."""
        return int.from_bytes(os.urandom(8), "big", signed=True)

    def _do_stop(self) -> Answer:
        self._memory.lift()
        return True

    def _do_relax(self) -> Answer:
        """Out of memory, so the run is over."""
        self._memory.relax()
        return True

    def over(self, limit: str) -> Answer:
        """End the run. Its reason is a text; where there was no room for it, lupa would stop for good."""
        self._memory.relax()
        return None, limit.encode()

    def _do_reason(self) -> Answer:
        if not self.stop_reason:
            return False
        self._memory.relax()
        return self.stop_reason.encode()

    def _do_stopping(self) -> Answer:
        return self.stop_reason is not None

    def _do_print(self, text: bytes) -> Answer:
        self._memory.sample()
        self._printed += len(text) + 1
        if self._printed > self._limits.output:
            return self.over("output_limit")
        self._record(["print", text.decode("utf-8", "replace")])
        return True

    def _do_part(self, text: bytes) -> Answer:
        self._parts.append(text)
        return True

    def whole(self, last: bytes) -> Any:  # noqa: ANN401  # JSON, whose shape the caller knows
        """Decode what Lua has handed over in parts."""
        return from_lua(self.joined(last))

    def joined(self, last: bytes) -> bytes:
        """Return what Lua has handed over in parts."""
        if self._parts:
            last = b"".join([*self._parts, last])
            self._parts.clear()
        return last

    def _do_call(self, path: bytes, arguments: bytes) -> Answer:
        return self.call(
            lambda: self.host.call(path.decode("utf-8", "replace"), self.whole(arguments))
        )

    def _do_call_with(self, path: bytes, values: bytes) -> Answer:
        return self.call(
            lambda: self.host.call_with(path.decode("utf-8", "replace"), self.whole(values))
        )

    def call(self, make: "Callable[[], Json | PlannedWrite]", *, counted: bool = True) -> Answer:
        """Let the host do something whose time is not Lua's, and answer with what it returns."""
        self._calls += counted
        if self.exceeds_calls():
            return self.over("call_limit")
        with self.uncharged:
            pieces = Pieces(make())
        return self.first(pieces)

    def begun(self, begin: Callable[[], int], *, counted: bool = True) -> Answer:
        """Let the host begin something, and answer with its number."""
        self._calls += counted
        if self.exceeds_calls():
            return self.over("call_limit")
        with self.uncharged:
            return True, begin()

    def exceeds_calls(self, *, more: int = 0) -> bool:
        """Whether so many more calls are too many; a request of a batch and a page of a list are calls."""
        return self._calls + self.host.requests + more > self._limits.calls

    def _do_members(self, path: bytes) -> Answer:
        with self.uncharged:
            pieces = Pieces(self.host.members(path.decode()))
        return self.first(pieces)

    def _do_kind(self, path: bytes) -> Answer:
        """What Lua does when a name is called that no namespace has."""
        with self.uncharged:
            kind = self.host.kind(path.decode("utf-8", "replace"))
        return self.answer(True, kind.encode())

    def _do_help(self, name: bytes, values: bytes) -> Answer:
        with self.uncharged:
            helper = self.host.helper(name.decode())
        # The helper's own work is charged, so that a script cannot use it to compute for free.
        return self.first(Pieces(helper(*self.whole(values))))

    def _do_module(self, name: bytes) -> Answer:
        """Load a module: its file, a newline, its text."""
        file, source = self._modules.load(name.decode("utf-8", "replace"))
        return self.answer(True, file.encode() + b"\n" + source)

    def _do_refuse(self, name: bytes, problem: bytes) -> Answer:
        """The arguments of a call cannot be JSON: the sentence says which and why."""
        message = f"{name.decode('utf-8', 'replace')}: {problem.decode('utf-8', 'replace')}"
        raise InvalidArguments(message.removeprefix("integrations."))

    def _do_end(self, ok: bool, payload: bytes, warnings: bytes = b"[]") -> Answer:  # noqa: FBT001  # Lua's convention
        for sentence in from_lua(warnings) or ():
            self._record(["warning", sentence])
        report = None if ok else from_lua(payload)
        self.host.end(over=report is not None and "limit" in report)
        if report is not None:
            self.ending = failed(report, self._limits, self._name)
        elif len(payload) > self._limits.result:
            self.ending = self._limits.exceeded("result_limit")
        else:
            self.ending = {"result": payload.decode()}
        return True
