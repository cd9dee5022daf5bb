"""Tape: a recording as it is read. Only where its calls are is kept; each is read again when it is made."""

import json
import os
import stat
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, NamedTuple, Self

from kosmo_lua.calls.differences import COMPARED, Recorded
from kosmo_lua.calls.recording import FORMAT, LONGEST, Made
from kosmo_lua.errors import ConfigError, Interrupted, KosmoError, UsageError
from kosmo_lua.results import Delivery, Rejection
from kosmo_lua.values import HIDDEN, MCP_PREFIX, Json, JsonObject

MOST = 1_000_000
"""Calls that a recording may have."""

_HIDDEN = HIDDEN.encode()


class Place(NamedTuple):
    """Where a call is in the file."""

    line: int
    start: int


class Answer(NamedTuple):
    """What a recorded call came to. `more`: another page follows; `bytes`: those of an event."""

    result: Json
    error: KosmoError | None
    more: bool = False
    bytes: int = 0


class Tape:
    """A recording. It does not change, so that several runs can replay it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.calls: dict[bytes, list[Place]] = {}
        """The places of equal calls, by `key`."""
        self.functions: dict[str, list[Place]] = {}
        """The places of the calls of each function."""
        self.masked: dict[str, list[Place]] = {}
        """Those of each function whose arguments held a secret."""
        self.accounts: dict[str, set[str]] = {}
        """The accounts of each integration."""
        self.tools: dict[str, JsonObject] = {}
        """What is known of the tools of MCP servers."""
        self.reports: list[Delivery] = []
        self.warnings: list[str] = []

    @classmethod
    def read(cls, path: str) -> Self:
        """Read a recording.

        Raises:
            UsageError: there is no such file, or it cannot be read.
            ConfigError: it is no recording, or one of its lines is broken; names the line.
        """
        tape = cls(path)
        try:
            # A named pipe would be waited for.
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise UsageError(f"cannot replay {path}: it is not a plain file")
            tape._read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", error)
            hint = "Make it with --record."
            raise UsageError(f"cannot replay {path}: {reason}", hint=hint) from None
        return tape

    def _read(self) -> None:
        lines = self._lines()
        number, _, line = next(lines, (1, 0, b""))
        header = self._parsed(number, line, lambda value: value)
        if not isinstance(header, dict) or "kosmo_recording" not in header:
            raise self._broken(number, "it is not the header of a recording")
        if header["kosmo_recording"] != FORMAT:
            raise self._broken(
                number, f"another version of kosmo has made it, not format {FORMAT}"
            )
        for number, start, line in lines:
            if line.strip():
                self._add(Place(number, start), line)

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Give each line, its number, and where it starts. A last one without an end may be cut off."""
        number = start = 0
        with open(self.path, "rb") as file:
            while line := file.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise self._broken(number, f"it has more than {LONGEST // 1024**2} MiB")
                if number > 1 and not line.endswith(b"\n") and not _is_json(line):
                    sentence = "its last line is cut off, because the run that wrote it was killed"
                    self.warnings.append(f"{self.path}: {sentence}")
                    return
                yield number, start, line
                start += len(line)

    def _add(self, place: Place, line: bytes) -> None:
        if place.line > MOST:
            raise self._broken(place.line, f"a recording has at most {MOST:,} calls")
        entry = self._parsed(place.line, line, _entry)
        if isinstance(entry, Delivery):
            self.reports.append(entry)
            return
        made, _, digest = entry
        if made.function.startswith(MCP_PREFIX) and made.function not in self.tools:
            self.tools[made.function] = self._parsed(place.line, line, _tool)
        self.calls.setdefault(digest, []).append(place)
        self.functions.setdefault(made.function, []).append(place)
        self.accounts.setdefault(made.function.rpartition(".")[0], set()).add(made.account)
        if _HIDDEN in line and HIDDEN in json.dumps(made.arguments):
            self.masked.setdefault(made.function, []).append(place)

    def at(self, place: Place) -> tuple[Made, Answer]:
        """Read a call again.

        Raises:
            ConfigError: the file was changed meanwhile.
        """
        with open(self.path, "rb") as file:
            file.seek(place.start)
            entry = self._parsed(place.line, file.readline(LONGEST + 1), _entry)
        if isinstance(entry, Delivery):
            raise self._broken(place.line, "it was changed during the replay")
        made, answer, _ = entry
        return made, answer

    def like(self, function: str) -> Iterator[Recorded]:
        """Give the first recorded calls of a function."""
        for place in self.functions.get(function, [])[:COMPARED]:
            yield Recorded(place.line, self.at(place)[0])

    def _parsed(self, number: int, line: bytes, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401  # what `read` returns
        try:
            return read(json.loads(line.decode()))
        except UnicodeDecodeError:
            problem = "it is not UTF-8"
        except RecursionError:
            problem = "it is nested too deep"
        except _Wrong as error:
            problem = str(error)
        except ValueError:
            problem = "it is not JSON"
        raise self._broken(number, problem)

    def _broken(self, number: int, problem: str) -> ConfigError:
        message = f"cannot replay {self.path}: line {number}: {problem}"
        return ConfigError(message, hint="Make the recording again with --record.")


def key(made: Made) -> bytes:
    """Return what equal calls have in common."""
    text = json.dumps([*made[:2], _normal(made.arguments), *made[3:]], sort_keys=True)
    return sha256(text.encode()).digest()[:16]


def _normal(value: Json) -> Json:
    """Return a JSON value with one spelling for each number: 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _normal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class _Wrong(ValueError):
    """What is wrong with a line that is JSON."""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _entry(value: Any) -> Delivery | tuple[Made, Answer, bytes]:  # noqa: ANN401  # JSON
    """Return what a line means: the report of a batch, or a call."""
    if isinstance(value, dict) and value.keys() == {"report"}:
        return _report(value["report"])
    made = Made(
        _field(value, "function", str),
        _field(value, "account", str),
        _field(value, "arguments", dict),
        _field(value, "page", int, 0),
        _field(value, "queued", bool, False),
    )
    if "error" in value:
        answer = Answer(None, _error(value["error"]))
    else:
        kind = list if made.page else dict if made.queued else object
        size = _field(value, "bytes", int, 0)
        more = _field(value, "more", bool, False)
        answer = Answer(_field(value, "result", kind), None, more, size)
    return made, answer, key(made)


def _tool(value: Any) -> JsonObject:  # noqa: ANN401  # JSON
    """Return what a line says of the tool that was called."""
    tool: JsonObject = _field(value, "tool", dict, {})
    if _field(tool, "access", str, "write") not in ("read", "write"):
        raise _Wrong("its access is neither read nor write")
    for name in ("aliases", "parameters"):
        if not all(isinstance(each, str) for each in _field(tool, name, list, [])):
            raise _Wrong(f"its {name} are not what they should be")
    return tool


_ABSENT: Any = object()


def _field(value: Any, name: str, kind: type, default: Any = _ABSENT) -> Any:  # noqa: ANN401  # JSON
    """Return a field of a line, which must be of this type."""
    if not isinstance(value, dict):
        raise _Wrong("it is not a call")
    field = value.get(name, default)
    if field is _ABSENT:
        raise _Wrong(f"it has no {name}")
    if not isinstance(field, kind) or (kind is int and isinstance(field, bool)):
        raise _Wrong(f"its {name} is not what it should be")
    return field


def _error(facts: Any) -> KosmoError:  # noqa: ANN401  # JSON
    kinds = {kind.code: kind for kind in KosmoError.__subclasses__() if kind is not Interrupted}
    kind = kinds.get(_field(facts, "code", str))
    effect = _field(facts, "effect", str, "none")
    if kind is None or effect not in ("none", "sent", "unknown"):
        raise _Wrong("its error is none of kosmo's")
    status, hint, details = (facts.get(name) for name in ("status", "hint", "details"))
    error = kind(
        _field(facts, "message", str),
        hint=None if hint is None else _field(facts, "hint", str),
        status=None if status is None else _field(facts, "status", int),
        retryable=_field(facts, "retryable", bool, False),
        effect=effect,
        details=None if details is None else _field(facts, "details", dict),
    )
    error.function = _field(facts, "function", str)
    return error


def _report(facts: Any) -> Delivery:  # noqa: ANN401  # JSON
    numbers = {name: _field(facts, name, int) for name in Delivery._fields if name != "rejected"}
    rejected: list[Rejection] = [
        Rejection(
            _field(each, "index", int),
            *(_field(each, name, str) for name in ("id", "code", "message")),
        )
        for each in _field(facts, "rejected", list)
    ]
    return Delivery(rejected=tuple(rejected), **numbers)
