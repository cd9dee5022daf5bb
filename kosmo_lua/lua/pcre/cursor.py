"""Cursors: how far the loops over find_all are, each with its subject, which Lua so sends only once."""

from itertools import count
from sys import getsizeof
from threading import Lock
from typing import TYPE_CHECKING

from kosmo_lua.lua.pcre.search import Search
from kosmo_lua.values import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    import regex

BATCH = 256
"""Matches that Lua gets at once, at most."""

BATCH_SIZE = 64 * 1024
"""Characters of their texts after which a batch ends."""

MOST = 256
"""Cursors that are kept; beyond it those used longest ago are forgotten, and Lua sends the subject again."""

MOST_SIZE = 64 * 1024 * 1024
"""Bytes of all their subjects but the last."""


class Cursor:
    """A place in a subject: after a match whose first and last byte it is given, or at the start."""

    def __init__(self, search: Search, first: int = 0, last: int = 0) -> None:
        self._subject = search.subject
        self._pattern = search.pattern
        self._bytes = last
        self._at = len(search.subject.encode()[:last].decode()) if last else 0
        self._empty = last < first
        self.finished = False
        """Whether there is no further match."""

    @property
    def size(self) -> int:
        """Bytes of its subject."""
        return getsizeof(self._subject)

    def batch(self, search: Search | None = None) -> dict[str, Json]:
        """Return the next matches: their texts, first and last bytes, and the names of the groups.

        What has been found when the time is up counts: the match that takes too long is the next batch's.
        """
        search = search or Search(self._subject, self._pattern)
        rows, places = list[Json](), list[Json]()
        try:
            for found in self._matches(search):
                rows.append([*search.texts(found)])
                places += self._passed(found)
                if len(rows) == BATCH or search.spent > BATCH_SIZE:
                    break
            else:
                self.finished = True
        except TimeoutError:
            if not rows:
                raise
        return {"rows": rows, "places": places, "names": {**self._pattern.groupindex}}

    def _matches(self, search: Search) -> "Iterator[regex.Match[str]]":
        at, seen = self._at, self._empty
        for found in search.all(at):
            # A search that starts where the last one ended on an empty match finds that again.
            if not (seen and found.span() == (at, at)):
                yield found
            seen = False

    def _passed(self, found: "regex.Match[str]") -> tuple[int, int]:
        start, end = found.span()
        first = self._bytes + len(self._subject[self._at : start].encode())
        self._bytes = first + len(self._subject[start:end].encode())
        self._at, self._empty = end, start == end
        return first + 1, self._bytes


class Cursors:
    """The cursors that are in use, by number; a loop that was left just never asks for its own again."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._kept: dict[int, Cursor] = {}
        self._lock = Lock()

    def keep(self, cursor: Cursor) -> int:
        """Keep a cursor until it is taken, or forgotten for newer ones; return its number."""
        with self._lock:
            number = next(self._numbers)
            size = sum(kept.size for kept in self._kept.values())
            while self._kept and (len(self._kept) == MOST or size > MOST_SIZE):
                size -= self._kept.pop(next(iter(self._kept))).size
            self._kept[number] = cursor
        return number

    def take(self, number: int) -> Cursor | None:
        """Return a cursor, which is no longer kept; None for one that was forgotten."""
        with self._lock:
            return self._kept.pop(number, None)
