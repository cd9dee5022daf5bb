"""Escapes: what the engine calls an escape of PCRE, on its own and within a set."""

import re
import sys

from kosmo_lua.lua.pcre.pattern import PatternError
from kosmo_lua.lua.pcre.tokens import POSIX_CLASS

_VERTICAL = r"\n\x0b\f\r\x85\u2028\u2029"

# What the two read differently: in PCRE `\Z` is also before a last newline.
_ESCAPES = {
    "Z": r"(?=\n?\Z)",
    "z": r"\Z",
    "e": r"\x1b",
    "v": f"[{_VERTICAL}]",
    "V": f"[^{_VERTICAL}]",
    "N": r"[^\n]",
}

_IN_SET = rf"""
    \\ (?P<escape> x\{{ [^}}]{{0,99}} \}} | . )
  | {POSIX_CLASS}
  | (?P<double> ([-|&~]) (?=\3) )
  | (?P<nested> (?<!^) \[ )
"""


def rewrite_escape(escape: str) -> str:
    """Return an escape, given without its backslash, for the engine."""
    if escape in _ESCAPES:
        return _ESCAPES[escape]
    if escape.startswith("x{"):
        return _code_point(escape[2:-1])
    if escape.startswith(("k", "g")) and len(escape) > 1:
        name = escape[1:].strip("'<>{}")
        return f"(?P={name})"
    return "\\" + escape


def rewrite_set(text: str) -> str:
    """Return a set for the engine, which knows nested sets and operators between sets; PCRE does not."""
    return re.sub(_IN_SET, _in_set, text, flags=re.DOTALL | re.VERBOSE)


def _in_set(found: re.Match[str]) -> str:
    escape = found["escape"]
    if escape == "v":
        return _VERTICAL
    if escape:
        return _ESCAPES["e"] if escape == "e" else rewrite_escape(escape)
    if found["double"]:
        return found[0] + "\\"
    return r"\[" if found["nested"] else found[0]


def _code_point(digits: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{1,6}", digits) or int(digits, 16) > sys.maxunicode:
        raise PatternError(rf"\x{{{digits}}} is no code point")
    return f"\\U{int(digits, 16):08x}"
