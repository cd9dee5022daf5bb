r"""Replacement: `$1`, `${1}`, `\1` and `${name}` refer to groups, `$0` to the match."""

import re
from io import StringIO
from typing import TYPE_CHECKING

from kosmo_lua.lua.pcre.search import Search

if TYPE_CHECKING:
    import regex

_REFERENCE = r"\\(?P<literal>[\\$])|[\\$](?P<number>\d{1,2})|\$\{(?P<name>\w+)\}"


def replaced(search: Search, replacement: str, limit: int) -> str:
    """Return the subject with its matches replaced, the first `limit` of them where that is not negative."""
    parts = _parts(search, replacement)
    literals = sum(len(part) for part in parts if isinstance(part, str))
    result, end, count = StringIO(), 0, 0
    for found in search.all() if limit else ():
        result.write(search.subject[end : found.start()])
        for part in parts:
            result.write(search.text(*found.span(part)) if isinstance(part, int) else part)
        search.spend(literals)
        end, count = found.end(), count + 1
        if count == limit:
            break
    result.write(search.subject[end:])
    return result.getvalue()


def _parts(search: Search, replacement: str) -> list[str | int]:
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
