"""Translation: a PCRE pattern, rewritten token by token so that the engine reads it as PCRE would."""

import re
from bisect import bisect_right
from itertools import accumulate

from kosmo_lua.lua.pcre.cost import Cost
from kosmo_lua.lua.pcre.escapes import rewrite_escape, rewrite_set
from kosmo_lua.lua.pcre.pattern import Pattern, PatternError
from kosmo_lua.lua.pcre.tokens import tokens

_NOTHING = "(?#)"
"""Stands for a space or a comment; without it `\\1 0` would join to another escape, `( ?i)` to flags."""


class Translation:
    """A pattern for the engine, known to unroll to no more than it may."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._groups = 0
        anchored = "A" in pattern.flags
        # Without f one letter never matches two, as in PCRE.
        self._pieces = [r"\G(?:(?-f)" if anchored else "(?-f)"]
        self._origins = [0]
        self._read()
        self.text = "".join(self._pieces) + (")" if anchored else "")

    def invalid(self, what: str, position: int | None) -> PatternError:
        """Return the error that says what is wrong at a position of the text, for the pattern as given."""
        return self._pattern.invalid(what, None if position is None else self._origin(position))

    def _origin(self, position: int) -> int:
        """Where in the pattern a position of the text comes from."""
        starts = list(accumulate(map(len, self._pieces[:-1]), initial=0))
        nearest = bisect_right(starts, position) - 1
        origin = self._origins[nearest]
        return min(origin + position - starts[nearest], len(self._pattern.text))

    def _read(self) -> None:
        cost = Cost(self._pattern)
        rewrite = {
            "quoted": lambda token: re.escape(token["quoted"]),
            "escape": self._escape,
            "set": self._set,
            "comment": self._comment,
            "blank": lambda _: _NOTHING,
            "scope": self._flags,
            "open": self._open,
            "close": lambda _: ")",
            "repeat": self._repeat,
            "brace": lambda _: r"\{",
            "character": self._character,
        }
        for token in tokens(self._pattern):
            self._origins.append(token.start())
            self._pieces.append(rewrite[token.lastgroup or "character"](token))
            cost.add(token)

    def _escape(self, token: re.Match[str]) -> str:
        escape = token["escape"]
        if escape in ("p", "P"):
            raise self._pattern.invalid("missing name of a property", token.start())
        relative = re.fullmatch(r"g\{?-([0-9]{1,9})\}?", escape)
        return rewrite_escape(f"g{self._groups + 1 - int(relative[1])}" if relative else escape)

    def _set(self, token: re.Match[str]) -> str:
        if len(token[0]) < len("[x]") or not token[0].endswith("]"):
            raise self._pattern.invalid("missing ] of a set", token.start())
        return rewrite_set(token[0])

    def _comment(self, token: re.Match[str]) -> str:
        if not token[0].endswith(")"):
            raise self._pattern.invalid("missing ) of a comment", token.start())
        return _NOTHING

    def _flags(self, token: re.Match[str]) -> str:
        """Inline flags. The engine never learns of x: the spaces are gone before it reads them."""
        letters, scope = token["flags"], token["scope"]
        if letters == "R" and scope == ")":
            return token[0]
        if token.start() == 0 and scope == ")":
            letters = re.sub("^([a-zA-Z]*?)x", r"\1", letters)
        if not re.fullmatch("[ims]*(-[ims]*)?", letters):
            what = "inline flags other than i, m and s, and x in front of all,"
            raise self._pattern.invalid(what, token.start())
        return f"(?{letters}{scope}" if scope == ":" or letters.strip("-") else _NOTHING

    def _open(self, token: re.Match[str]) -> str:
        follows = self._pattern.text[token.end() : token.end() + 2]
        named = token["name"] or (token[0] == "(?" and re.match("P<|<[^=!]", follows))
        if token[0] == "(" or named:
            self._groups += 1
        return f"(?P<{token['name']}>" if token["name"] else token[0]

    def _repeat(self, token: re.Match[str]) -> str:
        if "U" not in self._pattern.flags:
            return token[0]
        how = token["repeat"]
        return token[0].removesuffix(how) + {"": "?", "?": ""}.get(how, how)

    def _character(self, token: re.Match[str]) -> str:
        only_at_end = "D" in self._pattern.flags and "m" not in self._pattern.flags
        return r"\Z" if token[0] == "$" and only_at_end else token[0]
