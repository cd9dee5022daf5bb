"""Identity: the IDs and times of what is sent once. `runs` has those of a run that can be repeated.

A batch makes one of each for every event, so both are written by hand: uuid and datetime take ten times as
long.
"""

import os
import time
from struct import Struct

_KEPT = bytes.fromhex("ffffffffffff0fff0fffffffffffffff")
_MOVED = bytes.fromhex("00000000000000000300000000000000")
_SET = bytes.fromhex("00000000000040008000000000000000")
"""The bits of a UUID that stay, those that stand once more beside the variant, and version and variant."""

_parts = Struct("8s4s4s4s12s").iter_unpack
"""The hexadecimal digits between its hyphens."""

_DRAWN = 256
"""So many IDs are drawn at once: where the system is virtual, asking it takes longer than all the rest."""

_drawn: list[str] = []
"""The IDs to come, which nobody else has seen."""
os.register_at_fork(after_in_child=_drawn.clear)

_last = (0, 0, "", "")
"""The millisecond and the second that were written last, and their texts."""


def now() -> str:
    """Return the present, to the millisecond: `2026-04-01T10:00:00.000Z`."""
    global _last  # noqa: PLW0603  # a cache of one, replaced as a whole
    present = time.time_ns() // 1_000_000
    moment, second, of_moment, of_second = _last
    if moment == present:
        return of_moment
    seconds, milliseconds = divmod(present, 1000)
    if second != seconds:
        of_second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    text = f"{of_second}.{milliseconds:03d}Z"
    _last = (present, seconds, text, of_second)
    return text


def uuids_of(random: bytes) -> list[str]:
    """Write random bytes, 16 for each, as UUIDs of version 4 (RFC 9562).

    Of the same bytes the same UUIDs are made for ever: a run that is repeated relies on that.
    """
    count, given = len(random) // len(_KEPT), int.from_bytes(random)
    kept, moved, fixed = (int.from_bytes(bits * count) for bits in (_KEPT, _MOVED, _SET))
    bits = given & kept | (given & moved) << 4 | fixed
    digits = bits.to_bytes(len(random)).hex().encode()
    return [b"-".join(parts).decode() for parts in _parts(digits)]


def new_id() -> str:
    """Return a random UUID, which no other thread gets."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            _drawn.extend(uuids_of(os.urandom(len(_KEPT) * _DRAWN)))


class Fresh:
    """The identity of what is sent once."""

    new_id = staticmethod(new_id)
    now = staticmethod(now)
