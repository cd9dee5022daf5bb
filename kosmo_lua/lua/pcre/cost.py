"""Cost: what a pattern unrolls to while the engine compiles it, counted before it does."""

import re

from kosmo_lua.lua.pcre.pattern import Refused

MAX_COUNT = 65535
"""The largest count in braces, as in PCRE."""

MAX_UNROLLED = 100_000
"""What a pattern may unroll to, in nodes of the engine; compiling so many takes about 0.2 s and 50 MB."""

GROUP = 20
"""Nodes that a group counts for: compiling empty groups takes time in the square of their number."""


class Cost:
    """The nodes of a pattern, token by token."""

    def __init__(self) -> None:
        self._open = [0]
        """Of each group that is open, its items without the last."""
        self._last = 0
        """Of the last item, which a repeat multiplies."""

    def add(self, token: re.Match[str], size: int) -> None:
        """Count a token that the engine reads as so many characters; raise Refused when that is too much."""
        kind = token.lastgroup
        if kind == "repeat":
            self._last = max(self._last, 1) * self._copies(token)
        elif kind == "close":
            self._last += GROUP + self._open.pop()
        elif kind in ("open", "condition") or (kind == "scope" and token[0].endswith(":")):
            self._item(0)
            self._open.append(0)
        elif kind not in ("blank", "comment", "scope"):
            self._item(size)
        if self._open[-1] + self._last > MAX_UNROLLED:
            raise Refused("too many groups or repeats")

    def _item(self, nodes: int) -> None:
        self._open[-1] += self._last
        self._last = nodes

    def _copies(self, token: re.Match[str]) -> int:
        """How often the engine writes what is repeated: what is required, and once for the rest."""
        # Cut, because Python refuses to read a number of 5,000 digits.
        bounds = [(token[bound] or "").lstrip("0")[:9] for bound in ("least", "most")]
        least, most = (int(bound or "0") for bound in bounds)
        if max(least, most) > MAX_COUNT:
            raise Refused(f"a count larger than {MAX_COUNT}")
        return 2 if token[0].startswith("+") else least + 1
