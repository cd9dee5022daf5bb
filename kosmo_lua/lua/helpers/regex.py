r"""The Lua table `regex`: match, match_all and gsub with PCRE patterns.

A pattern is bare (`\d+`) or delimited as in PHP (`/\d+/i`). It is delimited when it starts with
`/`, `#` or `~` and ends with the same character and nothing but flag letters, so a bare `/path/`
is read as `path`, as PHP would. Text is Unicode throughout, as with PHP's flag `u`.

Flags: i (case), m (`^` and `$` at lines), s (`.` takes newlines), x (spaces and # comments),
A (only where the search starts), D (`$` only at the very end), U (ungreedy); u and X change nothing.

A replacement refers to groups as `$1`, `${1}`, `\1` or `${name}`, and to the match as `$0`. A group
that does not exist is empty, `\$` and `\\` are a dollar and a backslash, and any other `$` stands
for itself, also in `$$`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from time import monotonic
from typing import TYPE_CHECKING

from kosmo_lua.errors import InvalidArguments, RegexTimeout
from kosmo_lua.lua.pcre.compilation import compile_pattern
from kosmo_lua.lua.pcre.pattern import PatternError
from kosmo_lua.values import Json

if TYPE_CHECKING:
    import regex

TIME_LIMIT = 1.0
"""Seconds for one call, compilation and matching together."""

MAX_RESULT = 16 * 1024 * 1024
"""Characters of all texts that one call gives back."""

_REFERENCE = r"\\(?P<literal>[\\$])|[\\$](?P<number>\d{1,2})|\$\{(?P<name>\w+)\}"


def match(subject: str, pattern: str, flags: str = "") -> Json:
    """The full match and the groups of the first match, or None."""
    with _errors_of("match"):
        search = _Search(subject, pattern, flags)
        found = search.first()
        return None if found is None else search.with_names(search.texts(found))


def match_all(subject: str, pattern: str, flags: str = "") -> Json:
    """A list of all full matches, a list of all first groups, and so on; empty without a match."""
    with _errors_of("match_all"):
        search = _Search(subject, pattern, flags)
        rows = [search.texts(found) for found in search.all()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        return search.with_names(columns) if rows else []


def gsub(subject: str, pattern: str, replacement: str, limit: int = -1) -> Json:
    """The subject with its matches replaced, the first `limit` of them where that is not negative."""
    with _errors_of("gsub"):
        search = _Search(subject, pattern, "")
        return _replaced(search, _replacement_parts(search, replacement), limit)


FUNCTIONS: Mapping[str, Callable[..., Json]] = {
    "match": match,
    "match_all": match_all,
    "gsub": gsub,
}
"""What Lua calls, by the names of the table `regex`."""


@contextmanager
def _errors_of(function: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        message = f"regex.{function}: the pattern took longer than {TIME_LIMIT:g} s"
        raise RegexTimeout(message, hint="Avoid repeats within repeats, such as (a+)+.") from error
    except MemoryError as error:
        raise InvalidArguments(f"regex.{function}: the pattern needs too much memory") from error
    except PatternError as error:
        raise InvalidArguments(f"regex.{function}: {error}") from error


class _Search:
    """One call: its pattern, its deadline, and how much it may still give back."""

    def __init__(self, subject: str, pattern: str, flags: str) -> None:
        self.subject = subject
        self.deadline = monotonic() + TIME_LIMIT
        self.left = MAX_RESULT
        self.pattern = compile_pattern(pattern, flags, TIME_LIMIT)

    def first(self) -> "regex.Match[str] | None":
        return self.pattern.search(self.subject, timeout=self.remaining())

    def all(self) -> "Iterator[regex.Match[str]]":
        for found in self.pattern.finditer(self.subject, timeout=self.remaining()):
            self.check_time()
            yield found

    def check_time(self) -> None:
        if monotonic() > self.deadline:
            raise TimeoutError

    def remaining(self) -> float:
        return max(self.deadline - monotonic(), 0.001)

    def text(self, found: "regex.Match[str]", group: int) -> str:
        """The text of a group; an optional one that did not match is empty."""
        start, end = found.span(group)
        self.spend(end - start)
        return self.subject[start:end] if start >= 0 else ""

    def texts(self, found: "regex.Match[str]") -> list[str]:
        groups = range(self.pattern.groups + 1)
        self.spend(8 * len(groups))  # what a text costs in a list, even an empty one
        return [self.text(found, group) for group in groups]

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise PatternError(f"the result is larger than {MAX_RESULT // 1024 // 1024} MiB")

    def with_names(self, columns: "Sequence[Json]") -> Json:
        """JSON has no table that is a list and an object; regex.lua puts the two together."""
        names = self.pattern.groupindex
        if not names:
            return list(columns)
        return {
            "": list(columns),
            "names": {name: columns[index] for name, index in names.items()},
        }


def _replacement_parts(search: _Search, replacement: str) -> "list[str | int]":
    """The literal texts of a replacement and the groups between them."""
    parts, end = list[str | int](), 0
    for reference in re.finditer(_REFERENCE, replacement):
        search.check_time()
        name = reference["number"] or reference["name"] or ""
        literal = replacement[end : reference.start()]
        parts += [literal, reference["literal"] or _group(search.pattern, name)]
        end = reference.end()
    return [part for part in (*parts, replacement[end:]) if part != ""]


def _group(pattern: "regex.Pattern[str]", name: str) -> int | str:
    """The number of a group, or an empty text instead of one that does not exist."""
    is_number = re.fullmatch("[0-9]{1,9}", name)
    number: int = int(name) if is_number else pattern.groupindex.get(name, -1)
    return number if 0 <= number <= pattern.groups else ""


def _replaced(search: _Search, parts: "list[str | int]", limit: int) -> str:
    result, end, count = StringIO(), 0, 0
    literals = sum(len(part) for part in parts if isinstance(part, str))
    for found in search.all() if limit else ():
        result.write(search.subject[end : found.start()])
        for part in parts:
            result.write(search.text(found, part) if isinstance(part, int) else part)
        search.spend(literals)
        end, count = found.end(), count + 1
        if count == limit:
            break
    result.write(search.subject[end:])
    search.left = MAX_RESULT
    search.spend(result.tell())
    return result.getvalue()
