"""Search: a pattern looked for in a subject, within the time and the room that one call has."""

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from kosmo_lua.lua.pcre.compilation import compile_pattern
from kosmo_lua.lua.pcre.pattern import PatternError
from kosmo_lua.values import Json

if TYPE_CHECKING:
    import regex

TIME_LIMIT = 1.0
"""Seconds for one call, compilation and matching together."""

MAX_RESULT = 16 * 1024 * 1024
"""Characters of all texts that one call gives back."""

_TOO_LARGE = f"the result is larger than {MAX_RESULT // 1024 // 1024} MiB"


class Search:
    """One call: its pattern, its deadline, and how much it may still give back."""

    def __init__(self, subject: str, pattern: "str | regex.Pattern[str]", flags: str = "") -> None:
        self.subject = subject
        self.deadline = monotonic() + TIME_LIMIT
        self.left = MAX_RESULT
        self.pattern = (
            compile_pattern(pattern, flags, TIME_LIMIT) if isinstance(pattern, str) else pattern
        )

    def first(self) -> "regex.Match[str] | None":
        """The first match."""
        return self.pattern.search(self.subject, timeout=self._remaining())

    def all(self, start: int = 0) -> "Iterator[regex.Match[str]]":
        """Every match from a character on; what precedes it is still seen by look-behind."""
        for found in self.pattern.finditer(self.subject, start, timeout=self._remaining()):
            self.check_time()
            yield found

    def check_time(self) -> None:
        """Raise TimeoutError after the deadline."""
        if monotonic() > self.deadline:
            raise TimeoutError

    def _remaining(self) -> float:
        return max(self.deadline - monotonic(), 0.001)

    def texts(self, found: "regex.Match[str]") -> list[str]:
        """The match and its groups."""
        return [self.text(*found.span(group)) for group in range(self.pattern.groups + 1)]

    def text(self, start: int, end: int) -> str:
        """A part of the subject; that of an optional group that did not match, at -1, is empty."""
        self.spend(8 + end - start)  # what a text costs in a list, even an empty one
        return self.subject[start:end] if start >= 0 else ""

    def spend(self, size: int) -> None:
        """Count what will be given back; raise PatternError when it is too much."""
        self.left -= size
        if self.left < 0:
            raise PatternError(_TOO_LARGE)

    def checked(self, text: str) -> str:
        """Return a text that is the whole result; raise PatternError when it is too long."""
        if len(text) > MAX_RESULT:
            raise PatternError(_TOO_LARGE)
        return text

    @property
    def spent(self) -> int:
        """Characters counted so far."""
        return MAX_RESULT - self.left

    def with_names(self, columns: Sequence[Json]) -> Json:
        """JSON has no table that is a list and an object; regex.lua puts the two together."""
        names = self.pattern.groupindex
        if not names:
            return list(columns)
        named = {name: columns[index] for name, index in names.items()}
        return {"": list(columns), "names": named}
