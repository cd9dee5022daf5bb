"""Values at the border of Lua: what Lua sends is JSON text, what it gets are pieces of a value.

Bytes are what crosses: they are exact, safe near the memory limit, and leave no Python object in Lua. An
answer needs no check, so it goes in marshal's format, which Lua reads several times as fast as JSON.
docs/decisions/bridge.md has the figures.
"""

import json
import marshal
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from math import isfinite
from typing import Any

from kosmo_lua.dry_run import PlannedWrite
from kosmo_lua.errors import ServiceError
from kosmo_lua.values import Json

BLOCK = 1000
"""A longer list goes to Lua in pieces of so many elements, so that it never has to fit in twice."""
FEW = 16
"""Fewer elements are not worth a look whether they are alike."""
SHORT = 4096
"""So many bytes of a value take little memory, as a value of Lua too."""
DEEP = 6
"""Below so many levels nothing is rearranged."""
WIDE = 100
"""Objects with more keys are not made columns."""

_Values = Sequence[Any]

_DECODER = json.JSONDecoder()
_LONE_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")


def from_lua(text: bytes) -> Any:  # noqa: ANN401  # JSON, whose shape the caller knows
    """Decode what the sandbox encoded: text without spaces around it, which need not be looked for."""
    return _DECODER.raw_decode(text.decode())[0]


def to_json(value: Json) -> bytes:
    """Write a value as JSON that Lua can decode.

    Lone surrogates become U+FFFD; NaN and infinities, which Python's parser lets through, become null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def digits(number: bytes) -> bytes:
    """Return the decimal digits of an integer that Lua found in a piece, as marshal wrote it."""
    return str(marshal.loads(b"l" + number)).encode()  # noqa: S302  # an integer of our own


class Pieces:
    """A value on its way to Lua: its first piece, and those of its long lists when they are asked for.

    prelude/answer.lua reads them. What is no JSON value for Lua is replaced: lone surrogates become U+FFFD,
    there and here NaN and infinities become null.
    """

    def __init__(self, value: "Json | PlannedWrite") -> None:
        self._long: list[Iterator[bytes]] = []
        if isinstance(value, PlannedWrite):
            self.head = marshal.dumps([..., "planned", value.function], 2) + b"0"
        else:
            self.head = self._piece(value)

    @property
    def is_short(self) -> bool:
        """Whether it takes Lua little memory, as most answers do."""
        return not self._long and len(self.head) <= SHORT

    def more(self, index: int) -> bytes:
        """Return the next piece of a long list."""
        return next(self._long[index])

    def _piece(self, value: Json) -> bytes:
        try:
            data = marshal.dumps(self._arranged(value, 0), 2)
        except ValueError:  # a subclass, such as an enumeration of strings
            data = self._plain(value)
        if b"\xed" in data and _LONE_SURROGATE.search(data):
            data = self._plain(value)
        return data + b"0"

    def _plain(self, value: Json) -> bytes:
        """Write a value that holds more than JSON, as JSON would have it."""
        try:
            return marshal.dumps(self._arranged(json.loads(to_json(value)), 0), 2)
        except (ValueError, RecursionError):  # more than a thousand levels, or a cycle
            message = "the answer is nested too deep (more than 512 levels)"
            raise ServiceError(message, effect="unknown") from None

    def _arranged(self, value: Any, depth: int) -> Any:  # noqa: ANN401  # JSON with marked lists in it
        """Return the value with marks, which are lists that begin with an ellipsis, for its lists."""
        kind = value.__class__
        if depth > DEEP or kind not in (dict, list):
            return value
        if kind is dict:
            return {key: self._arranged(item, depth + 1) for key, item in value.items()}
        if len(value) > BLOCK:
            self._long.append(self._blocks(value))
            return [..., "long", len(self._long) - 1, len(value)]
        if len(value) < FEW:
            return [self._arranged(item, depth + 1) for item in value]
        return self._column(value, depth)

    def _blocks(self, values: list[Json]) -> Iterator[bytes]:
        for start in range(0, len(values), BLOCK):
            yield self._piece(values[start : start + BLOCK])

    def _column(self, values: _Values, depth: int) -> _Values:
        """Arrange values of one kind so that Lua can read them together."""
        if values and values[0].__class__ is str and _are_texts(values):
            return [..., "xs4", values]
        kinds = {*map(type, values)}
        if len(kinds) != 1:
            return values
        kind = kinds.pop()
        if kind is dict:
            return self._rows(values, depth)
        return self._lists(values, depth) if kind is list else _alike(values, kind)

    def _rows(self, rows: _Values, depth: int) -> _Values:
        keys = [*rows[0]]
        if not 0 < len(keys) <= WIDE or {*map(type, keys)} != {str}:
            return rows
        if {*map(len, rows)} != {len(keys)}:
            return rows
        try:
            columns = [[row[key] for row in rows] for key in keys]
        except KeyError:  # others
            return rows
        return [..., "rows", len(rows), keys, *(self._column(c, depth + 2) for c in columns)]

    def _lists(self, lists: _Values, depth: int) -> _Values:
        sizes = [*map(len, lists)]
        if sum(sizes) > 4 * BLOCK:
            return [self._arranged(item, depth + 1) for item in lists]
        elements = [*chain.from_iterable(lists)]
        return [..., "lists", sizes, self._column(elements, depth + 1)]


def _are_texts(values: _Values) -> bool:
    """Tell whether all values are texts, in a fourth of the time that looking at the type of each takes."""
    try:
        "".join(values)
    except TypeError:
        return False
    return True


def _alike(values: _Values, kind: type) -> _Values:
    """Mark floats with the format in which Lua unpacks each, marshal's own; pack integers."""
    if kind is float and all(map(isfinite, values)):
        return [..., "xd", values]
    if kind is int:
        with suppress(struct.error):  # one is beyond 64 bit
            return [..., "integers", struct.pack(f"<{len(values)}q", *values)]
    return values


def _finite(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
