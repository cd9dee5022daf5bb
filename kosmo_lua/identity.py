"""Identity: the IDs and times of what is sent once. `runs` has those of a run that can be repeated.

A batch makes one of each for every event, so both are written by hand: uuid and datetime take ten times as
long.
"""

import os
import time

_VARIANTS = "89ab"
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


def uuid_of(random: bytes) -> str:
    """Write 16 random bytes as a UUID of version 4 (RFC 9562)."""
    digits = random.hex()
    variant = _VARIANTS[random[8] & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _draw() -> str:
    """Take an ID, which no other thread gets."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            drawn = os.urandom(16 * _DRAWN)
            _drawn.extend(uuid_of(drawn[start : start + 16]) for start in range(0, len(drawn), 16))


class Fresh:
    """The identity of what is sent once."""

    @staticmethod
    def new_id() -> str:
        """Return a random UUID."""
        return _draw()

    @staticmethod
    def now() -> str:
        """Return the present."""
        return now()
