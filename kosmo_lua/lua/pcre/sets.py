r"""Sets: `[a-z\d]`, item by item: the engine has nested sets and operators between them, PCRE has not."""

import re
from typing import NamedTuple

from kosmo_lua.lua.pcre.escapes import CLASSES, character, literal, octal, rewrite_property
from kosmo_lua.lua.pcre.pattern import Refused
from kosmo_lua.lua.pcre.tokens import items

_POSIX = {
    "alnum": r"\p{L}\p{N}",
    "alpha": r"\p{L}",
    "ascii": r"\x00-\x7f",
    "blank": CLASSES["h"],
    "cntrl": r"\p{Cc}",
    "digit": r"\d",
    "graph": "[:graph:]",
    "lower": r"\p{Ll}",
    "print": "[:print:]",
    "punct": r"\p{P}$+<=>^`|~",
    "space": r"\s",
    "upper": r"\p{Lu}",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}


class _Item(NamedTuple):
    text: str
    """For the engine."""
    character: str = ""
    """Which one it stands for; a range needs one at each end."""
    hyphen: bool = False


def rewrite_set(text: str) -> str:
    """Return a set for the engine."""
    text = re.sub(r"^\[(\\E)+", "[", text)
    if len(text) < len("[x]") or not text.endswith("]"):
        raise Refused("missing ] of a set")
    if re.fullmatch(r"\[:\^?\w+:\]", text):
        raise Refused(f"{text} outside of a set; write [{text}]")
    start = 2 if text.startswith("[^") else 1
    parts, index = [_item(item) for item in items(text[start:-1])], 0
    written = [text[:start]]
    while index < len(parts):
        is_range = parts[index + 1 : index + 2] == [_HYPHEN] and index + 2 < len(parts)
        written.append(_range(parts[index], parts[index + 2]) if is_range else parts[index].text)
        index += 3 if is_range else 1
    return "".join(written) + "]"


_HYPHEN = _Item(r"\x2d", "-", hyphen=True)


def _range(first: _Item, last: _Item) -> str:
    if not first.character or not last.character:
        raise Refused("a class at an end of a range")
    if first.character > last.character:
        raise Refused("a range whose end comes before its start")
    return f"{first.text}-{last.text}"


def _item(item: re.Match[str]) -> _Item:
    if item[0] == "-":
        return _HYPHEN
    if item.lastgroup == "posix":
        return _Item(_posix(item[0][1:-1]))
    if item.lastgroup == "quoted":
        return _Item(literal(item["quoted"]))
    return _escape(item["escape"]) if item["escape"] else _characters(item[0])


def _escape(escape: str) -> _Item:
    if escape in CLASSES:
        return _Item(CLASSES[escape])
    if escape[0] in "pP":
        return _Item(rewrite_property(escape))
    if escape[0] in "0123456789":
        return _characters(escape if escape[0] in "89" else "".join(octal(escape)))
    if escape == "E":
        return _Item("")
    return _characters("\b" if escape == "b" else character(escape))


def _characters(text: str) -> _Item:
    return _Item(literal(text), text if len(text) == 1 else "")


def _posix(name: str) -> str:
    inner = name[1:-1].removeprefix("^")
    if name[0] != ":" or inner not in _POSIX:
        raise Refused(f"unknown class [{name}]")
    return f"[^{_POSIX[inner]}]" if name[1] == "^" else _POSIX[inner]
