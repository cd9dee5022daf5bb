"""Escapes: what the engine calls an escape of PCRE; one that PCRE has not is refused."""

import re
import sys

from kosmo_lua.lua.pcre.pattern import Refused

_HORIZONTAL = r"\t\x20\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_VERTICAL = r"\n\x0b\f\r\x85\u2028\u2029"

CLASSES = {
    **{letter: f"\\{letter}" for letter in "dDwWsS"},
    "h": f"[{_HORIZONTAL}]",
    "H": f"[^{_HORIZONTAL}]",
    "v": f"[{_VERTICAL}]",
    "V": f"[^{_VERTICAL}]",
}
"""Escapes for a class of characters; also within a set, where the engine knows nested sets."""

ASSERTIONS = {
    **{letter: f"\\{letter}" for letter in "bBAG"},
    "Z": r"(?=\n?\Z)",  # the engine's is only at the very end
    "z": r"\Z",
}
"""Escapes that match nothing but a place; PCRE repeats none of them."""

_PROPERTIES = {
    "L&": r"\p{Lu}\p{Ll}\p{Lt}",
    "Xan": r"\p{L}\p{N}",
    "Xwd": r"\p{L}\p{N}_",
    **dict.fromkeys(("Xsp", "Xps"), r"\s"),
}
"""Names that only PCRE has, as what is in a set."""

_OTHERS = {"R": r"\R", "X": r"\X", "K": r"\K", "N": r"[^\n]"}
_CONTROLS = {"a": 0x07, "e": 0x1B, "f": 0x0C, "n": 0x0A, "r": 0x0D, "t": 0x09}
_NUMBERS = {
    "x": ("[0-9a-fA-F]{0,6}", 16),
    "o": ("[0-7]{1,7}", 8),
    "N": (r"U\+[0-9a-fA-F]{1,6}", 16),
}


def rewrite_escape(escape: str) -> str:
    """Return an escape, given without its backslash, for the engine; not one that refers to a group."""
    if escape in CLASSES:
        return CLASSES[escape]
    if escape in ASSERTIONS or escape in _OTHERS:
        return ASSERTIONS.get(escape) or _OTHERS[escape]
    if escape[0] in "pP":
        return rewrite_property(escape)
    return literal(character(escape))


def rewrite_property(escape: str) -> str:
    r"""Return `\p` or `\P` with its name; the engine knows more names than PCRE."""
    if escape in ("p", "P"):
        raise Refused("missing name of a property")
    letter, name = escape[0], escape[1:].strip("{}")
    if name.lstrip("^") not in _PROPERTIES:
        return f"\\{escape}"
    negated = (letter == "P") != name.startswith("^")
    return f"[{'^' if negated else ''}{_PROPERTIES[name.lstrip('^')]}]"


def character(escape: str) -> str:
    r"""Return the character that an escape stands for: `n`, `x{e9}`, `o{351}`, `cA`, `.`."""
    letter = escape[0]
    if escape in _CONTROLS:
        return chr(_CONTROLS[escape])
    if letter == "x" or escape[:2] in ("o{", "N{"):
        return _numbered(letter, escape[1:])
    if letter == "c" and " " < escape[1:] <= "~":
        return chr(ord(escape[1].upper()) ^ 0x40)
    if letter.isascii() and letter.isalnum():
        raise Refused(f"unknown escape \\{letter}")
    return letter


def literal(text: str) -> str:
    """Return a text for the engine as nothing but itself, in a set and outside."""
    return re.sub(r"[^\w\x80-\U0010ffff]", lambda found: f"\\x{ord(found[0]):02x}", text)


def octal(digits: str) -> tuple[str, str]:
    """Return the character of up to three octal digits, and the digits that follow."""
    number = re.match("[0-7]{0,3}", digits)
    assert number, "none are enough"
    return chr(int(number[0] or "0", 8)), digits[number.end() :]


def _numbered(letter: str, digits: str) -> str:
    form, base = _NUMBERS[letter]
    number = digits.strip("{}")
    valid = re.fullmatch(form, number) and (number or not digits)
    code = int(number.removeprefix("U+") or "0", base) if valid else sys.maxunicode + 1
    if code > sys.maxunicode or chr(code).encode("utf-8", "ignore") == b"":
        raise Refused(f"\\{letter}{digits} is no code point")
    return chr(code)
