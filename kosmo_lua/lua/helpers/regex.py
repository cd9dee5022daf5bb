r"""The Lua table `regex`, with PCRE patterns; prelude/regex.lua has what scripts call.

A pattern is bare (`\d+`) or delimited as in PHP (`/\d+/i`). It is delimited when it starts with
`/`, `#` or `~` and ends with the same character and nothing but flag letters, so a bare `/path/`
is read as `path`, as PHP would. Text is Unicode throughout, as with PHP's flag `u`.

Flags: i (case), m (`^` and `$` at lines), s (`.` takes newlines), x (spaces and # comments),
A (only where the search starts), D (`$` only at the very end), U (ungreedy); u and X change nothing.

A replacement refers to groups as `$1`, `${1}`, `\1` or `${name}`, and to the match as `$0`. A group
that does not exist is empty, `\$` and `\\` are a dollar and a backslash, and any other `$` stands
for itself, also in `$$`.
"""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import ParamSpec

from kosmo_lua.errors import InvalidArguments, RegexTimeout
from kosmo_lua.lua.pcre.cursor import Cursor, Cursors
from kosmo_lua.lua.pcre.pattern import PatternError
from kosmo_lua.lua.pcre.replacement import replaced
from kosmo_lua.lua.pcre.search import TIME_LIMIT, Search
from kosmo_lua.values import Json

_P = ParamSpec("_P")


def _reported(name: str) -> Callable[[Callable[_P, Json]], Callable[_P, Json]]:
    """Let a function raise errors for a script, which knows it by this name."""

    def decorate(function: Callable[_P, Json]) -> Callable[_P, Json]:
        @wraps(function)
        def reported(*args: _P.args, **kwargs: _P.kwargs) -> Json:
            try:
                return function(*args, **kwargs)
            except TimeoutError as error:
                message = f"regex.{name}: the pattern took longer than {TIME_LIMIT:g} s"
                hint = "Avoid repeats within repeats, such as (a+)+."
                raise RegexTimeout(message, hint=hint) from error
            except MemoryError as error:
                message = f"regex.{name}: the pattern needs too much memory"
                raise InvalidArguments(message) from error
            except PatternError as error:
                raise InvalidArguments(f"regex.{name}: {error}") from error

        return reported

    return decorate


@_reported("match")
def match(subject: str, pattern: str, flags: str = "") -> Json:
    """The full match and the groups of the first match, or None."""
    search = Search(subject, pattern, flags)
    found = search.first()
    return None if found is None else search.with_names(search.texts(found))


@_reported("match_all")
def match_all(subject: str, pattern: str, flags: str = "") -> Json:
    """A list of all full matches, a list of all first groups, and so on; empty without a match."""
    search = Search(subject, pattern, flags)
    rows = [search.texts(found) for found in search.all()]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return search.with_names(columns) if rows else []


@_reported("find_all")
def find_all(cursors: Cursors, subject: str, pattern: str, flags: str = "", *passed: int) -> Json:
    """Matches, and a cursor if there may be more. `passed`: first and last byte of the match before them."""
    search = Search(subject, pattern, flags)
    return _batch(cursors, Cursor(search, *passed), search)


@_reported("find_all")
def find_more(cursors: Cursors, number: int) -> Json:
    """The next matches of a cursor, which has a new number then; None when it is not known any more."""
    cursor = cursors.take(number)
    return _batch(cursors, cursor) if cursor else None


def _batch(cursors: Cursors, cursor: Cursor, search: Search | None = None) -> Json:
    batch = cursor.batch(search)
    return batch if cursor.finished else {**batch, "cursor": cursors.keep(cursor)}


@_reported("split")
def split(subject: str, pattern: str, limit: int = -1, flags: str = "") -> Json:
    """What is between the matches; at most `limit` texts where that is above 0, the last with the rest."""
    search = Search(subject, pattern, flags)
    pieces, end = list[Json](), 0
    for found in search.all():
        if len(pieces) + 1 == limit:
            break
        pieces.append(search.text(end, found.start()))
        end = found.end()
    return [*pieces, search.text(end, len(subject))]


@_reported("gsub")
def gsub(subject: str, pattern: str, replacement: str, limit: int = -1) -> Json:
    """The subject with its matches replaced, the first `limit` of them where that is not negative."""
    search = Search(subject, pattern)
    return search.checked(replaced(search, replacement, limit))


def functions() -> Mapping[str, Callable[..., Json]]:
    """What prelude/regex.lua calls. The places of loops over find_all are kept here, for one Lua state."""
    cursors = Cursors()
    return {
        "match": match,
        "match_all": match_all,
        "find_all": partial(find_all, cursors),
        "find_more": partial(find_more, cursors),
        "split": split,
        "gsub": gsub,
    }
