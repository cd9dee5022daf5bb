"""Translation: a PCRE pattern, rewritten token by token so that the engine reads it as PCRE would."""

import re
from bisect import bisect_right
from itertools import accumulate

from kosmo_lua.lua.pcre.cost import Cost
from kosmo_lua.lua.pcre.escapes import ASSERTIONS, literal, octal, rewrite_escape
from kosmo_lua.lua.pcre.groups import Groups
from kosmo_lua.lua.pcre.pattern import Pattern, PatternError, Refused
from kosmo_lua.lua.pcre.sets import rewrite_set
from kosmo_lua.lua.pcre.tokens import token_at

_NOTHING = "(?#)"
"""Stands for a space or a comment; without it `( ?i)` would become flags."""

_VERBS = {
    **dict.fromkeys(("(*F)", "(*FAIL)"), "(?!)"),
    **{verb: verb for verb in ("(*PRUNE)", "(*SKIP)")},
    **dict.fromkeys(("(*UTF)", "(*UTF8)", "(*UCP)"), _NOTHING),  # always so
}

_LINE_START = r"(?:^(?!(?<=\n)\Z))"
"""In PCRE no line starts at the very end."""

_ANY_NUMBER = "{0,4294967294}"
"""For groups: after `(\\w+)*` the engine does not try all lengths for a `\\1` that follows."""

_PLACES = {*ASSERTIONS.values(), _LINE_START, "^", "$"}


class Translation:
    """A pattern for the engine, known to unroll to no more than it may."""

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._groups = Groups(pattern.flags)
        self._anchored = "A" in pattern.flags
        # Without f one letter never matches two, as in PCRE.
        self._pieces = [r"\G(?:(?-f)" if self._anchored else "(?-f)"]
        self._origins = [0]
        self._read()
        self.text = "".join(self._pieces) + (")" if self._anchored else "")

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
        cost, position = Cost(), 0
        while position < len(self._pattern.text):
            verbose = "x" in self._groups.flags
            token = token_at(self._pattern.text, position, verbose=verbose)
            self._origins.append(position)
            try:
                piece = getattr(self, f"_{token.lastgroup}")(token)
                cost.add(token, len(piece))
            except Refused as refused:
                raise self._pattern.invalid(str(refused), position) from refused
            self._pieces.append(piece)
            position = token.end()

    def _quoted(self, token: re.Match[str]) -> str:
        return literal(token["quoted"])

    def _escape(self, token: re.Match[str]) -> str:
        escape = token["escape"]
        if escape[0] in "gk":
            return self._group_escape(escape)
        if escape[0] in "0123456789":
            return self._digits(escape)
        if escape == "K" and self._groups.in_look_around:
            raise Refused(r"\K within a look-around")
        return _NOTHING if escape == "E" else self._unmerged(rewrite_escape(escape), token.end())

    def _group_escape(self, escape: str) -> str:
        if len(escape) == 1:
            raise Refused(f"missing group of \\{escape}")
        number = self._groups.number(escape[1:])
        if escape[:2] in ("g<", "g'"):
            return self._recursion(number)
        return f"(?P={number})"

    def _digits(self, digits: str) -> str:
        """Up to 9, or if there are so many groups already, they refer to one; else they are octal."""
        is_octal = digits[0] == "0" or (digits[0] < "8" and len(digits) > 1)
        if not is_octal or (digits[0] != "0" and int(digits) <= self._groups.count):
            return f"(?P={digits})"
        return literal("".join(octal(digits)))

    def _set(self, token: re.Match[str]) -> str:
        return self._unmerged(rewrite_set(token[0]), token.end())

    def _unmerged(self, piece: str, end: int) -> str:
        """The engine reads `[^a]|[^b]` as `[^ab]`; not so with `[^aa]`, which is slower."""
        is_repeated = self._pattern.text[end : end + 1] in ("*", "+", "?", "{")
        return piece if is_repeated else re.sub(r"^\[\^(\\x\w\w|.)\]$", r"[^\1\1]", piece)

    def _comment(self, token: re.Match[str]) -> str:
        if not token[0].endswith(")"):
            raise Refused("missing ) of a comment")
        return _NOTHING

    def _blank(self, _: re.Match[str]) -> str:
        return _NOTHING

    def _scope(self, token: re.Match[str]) -> str:
        """`(?i)` and `(?i:`. The engine never learns of x and U: they have had their effect here."""
        letters, opens = token["flags"], token[0].endswith(":")
        if not re.fullmatch(r"\^?[imsxU]*|[imsxU]*-[imsxU]*", letters):
            raise Refused("inline flags other than i, m, s, x and U")
        if opens:
            self._groups.open()
        if not letters:
            return "(?:" if opens else _NOTHING
        self._groups.switch(letters)
        on = "".join(letter for letter in "ims" if letter in self._groups.flags)
        off = "".join(letter for letter in "ims" if letter not in on)
        return f"(?{on}{'-' if off else ''}{off}{':' if opens else ')'}"

    def _call(self, token: re.Match[str]) -> str:
        name = token["called_name"]
        return self._recursion(name or self._groups.number(token["called"] or "0"))

    def _recursion(self, group: str) -> str:
        if group == "0" and self._anchored:
            raise Refused("(?R) together with the flag A")
        return f"(?&{group})" if not group.isdigit() else f"(?{group})"

    def _reference(self, token: re.Match[str]) -> str:
        return f"(?P={token['same']})"

    def _condition(self, token: re.Match[str]) -> str:
        if re.fullmatch(r"R(\d*|&.*)|VERSION.*", token["test"]):
            raise Refused("a condition other than a group, DEFINE or an assertion")
        self._groups.open()
        return f"(?({self._groups.number(token['test'])})"

    def _verb(self, token: re.Match[str]) -> str:
        if token[0] not in _VERBS:
            raise Refused(f"{token[0]} is not available")
        return _VERBS[token[0]]

    def _open(self, token: re.Match[str]) -> str:
        name = token["name"] or token["quoted_name"]
        is_known = self._groups.open(token[0], name)
        if not name:
            return token[0]
        # A name that comes twice, which is one group for PCRE, lets the engine lose count.
        return "(" if is_known else f"(?P<{name}>"

    def _close(self, _: re.Match[str]) -> str:
        self._groups.close()
        return ")"

    def _branch(self, _: re.Match[str]) -> str:
        self._groups.branch()
        return "|"

    def _repeat(self, token: re.Match[str]) -> str:
        if self._pieces[-1] in _PLACES:
            raise Refused("a repeat of what matches no character")
        how = token["repeat"]
        often = token[0].removesuffix(how)
        if self._pieces[-1] == ")" and often in ("*", "{0,}"):
            often = _ANY_NUMBER
        if "U" in self._groups.flags:
            how = {"": "?", "?": ""}.get(how, how)
        return often + how

    def _character(self, token: re.Match[str]) -> str:
        flags = self._groups.flags
        if token[0] == "(":
            raise Refused("unknown kind of group")
        if token[0] == "^" and "m" in flags:
            return _LINE_START
        if token[0] == "$":
            return r"\Z" if "D" in flags and "m" not in flags else "$"
        return token[0] if token[0] in "^." else literal(token[0])
