r"""The Lua table `regex`: match, match_all and gsub with PCRE patterns.

A pattern is bare (`\d+`) or delimited as in PHP (`/\d+/i`). It is delimited when it starts with
`/`, `#` or `~` and ends with the same character and nothing but flag letters, so a bare `/path/`
is read as `path`, as PHP would. Text is Unicode throughout, as with PHP's flag `u`.

Flags: i (case), m (`^` and `$` at lines), s (`.` takes newlines), x (spaces and # comments),
A (only where the search starts), D (`$` only at the very end), U (ungreedy); u and X change nothing.

A replacement refers to groups as `$1`, `${1}`, `\1` or `${name}`, and to the match as `$0`. A group
that does not exist is empty, `\$` and `\\` are a dollar and a backslash, and any other `$` stands
for itself, also in `$$`.

The engine is the PyPI package `regex`: it has a time limit and releases the GIL. It needs guarding:

* Its compiler unrolls repeats: 16 characters, `a{4294967294}`, take all memory. So `_Translation`
  counts what a pattern unrolls to. That works only if both read the pattern alike, so whatever they
  might read differently (sets, comments, flags, braces) is rewritten or refused.
* It compiles in Python: 64 KiB of words take 0.5 s, the worst that was found 3 s. Long patterns are
  compiled under `sys.setprofile`, which takes up to four times longer but can be stopped.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from io import StringIO
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from kosmo_lua.errors import InvalidArguments, RegexTimeout
from kosmo_lua.values import Json

if TYPE_CHECKING:
    from types import FrameType

    import regex

TIME_LIMIT = 1.0
"""Seconds for one call, compilation and matching together."""

MAX_PATTERN = 64 * 1024
"""Characters of a pattern."""

MAX_RESULT = 16 * 1024 * 1024
"""Characters of all texts that one call gives back."""

MAX_COUNT = 65535
"""The largest count in braces, as in PCRE."""

MAX_UNROLLED = 100_000
"""What a pattern may unroll to, in nodes of the engine; compiling so many takes about 0.2 s and 50 MB."""

GROUP = 20
"""Nodes that a group counts for: compiling empty groups takes time in the square of their number."""

GUARDED = 4096
"""Characters from which on the compilation of a pattern can be stopped; shorter ones take 0.2 s at worst."""

FLAGS = "imsxuADUX"

_POSIX = "alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit"

# No repeat may run to the end of the pattern and then fail: 64 KiB of `[` would take minutes.
_TOKEN = rf"""
    \\Q (?P<quoted> .*? ) (?: \\E | \Z )
  | \\ (?P<escape>
          x\{{ [^}}]{{0,99}} \}}
        | [pP] (?: [A-Za-z] | \{{ \^? [\w\ &=:.-]{{1,99}} \}} )
        | N\{{ [\w\ -]{{1,99}} \}}
        | k (?: <\w{{1,99}}> | \{{\w{{1,99}}\}} | '\w{{1,99}}' )
        | g (?: -?[0-9]+ | \{{ -?\w{{1,99}} \}} )
        | . )
  | (?P<set> \[ \^? \]? (?: \\. | \[:\^?(?:{_POSIX}):\] | [^\]\\] )*+ \]? )
  | (?P<comment> \(\?\# [^)]* \)? )
  | \(\? (?P<flags> [a-zA-Z^][a-zA-Z0-9^-]* | -[a-zA-Z]+ ) (?P<scope> [:)] )
  | (?P<open> \( (?: \?'\w{{1,99}}' | [?*] )? )
  | (?P<close> \) )
  | (?: [*+?] | \{{ (?: (?P<least> [0-9]+ ) (?: , (?P<most> [0-9]* ) )? | ,[0-9]+ ) \}} )
    (?P<how> [+?]? )
  | (?P<brace> \{{ )
  | BLANK
  | (?P<character> . )
"""
_BLANK = r"(?P<blank> [ \t\n\x0b\f\r]+ | \#[^\n]*\n? )"

_IN_SET = rf"""
    \\ (?P<escape> x\{{ [^}}]{{0,99}} \}} | . )
  | \[:\^?(?:{_POSIX}):\]
  | (?P<double> ([-|&~]) (?=\3) )
  | (?P<nested> (?<!^) \[ )
"""

_REFERENCE = r"\\(?P<literal>[\\$])|[\\$](?P<number>\d{1,2})|\$\{(?P<name>\w+)\}"

_VERTICAL = r"\n\x0b\f\r\x85\u2028\u2029"

# Escapes that PCRE and the engine read differently: in PCRE `\Z` is also before a last newline.
_ESCAPES = {
    "Z": r"(?=\n?\Z)",
    "z": r"\Z",
    "e": r"\x1b",
    "v": f"[{_VERTICAL}]",
    "V": f"[^{_VERTICAL}]",
    "N": r"[^\n]",
}


class _PatternError(Exception):
    """What is wrong with a pattern or its flags, for the message of an InvalidArguments."""


class _InvalidError(Exception):
    """What the engine has against a translated pattern, and where in it."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class _Pattern(NamedTuple):
    """A pattern without its delimiters, where it starts in what was given, and its flags."""

    text: str
    start: int
    flags: str


def _split(given: str, flags: str) -> _Pattern:
    # "g" is no flag of PCRE, but /x/g is meant as a delimited pattern, and would silently never match.
    delimited = re.fullmatch(rf"([/#~])(.*)\1([{FLAGS}g]*)", given, re.DOTALL)
    pattern = _Pattern(given, 0, flags)
    if delimited:
        pattern = _Pattern(delimited[2], 1, delimited[3] + flags)
    for letter in pattern.flags:
        if letter not in FLAGS:
            raise _PatternError(f"there is no flag {letter!r}; the flags are {', '.join(FLAGS)}")
    return pattern


@cache
def _token_pattern(*, verbose: bool) -> re.Pattern[str]:
    # Compiled on first use: it takes as long as all other work of a script that uses no pattern.
    return re.compile(
        _TOKEN.replace("BLANK", _BLANK if verbose else "(?!)"), re.VERBOSE | re.DOTALL
    )


def _escape(escape: str) -> str:
    """What the engine calls a PCRE escape, outside of a set."""
    if escape in _ESCAPES:
        return _ESCAPES[escape]
    if escape.startswith("x{"):
        return _code_point(escape[2:-1])
    if escape.startswith(("k", "g")) and len(escape) > 1:
        return f"(?P={escape[1:].strip('<>{}')})".replace("'", "")
    return "\\" + escape


def _code_point(digits: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{1,6}", digits) or int(digits, 16) > sys.maxunicode:
        raise _PatternError(rf"\x{{{digits}}} is no code point")
    return f"\\U{int(digits, 16):08x}"


def _set(text: str) -> str:
    """A set as PCRE reads it: the engine knows nested sets and set operators, PCRE does not."""

    def rewrite(found: re.Match[str]) -> str:
        if found["escape"]:
            return {"e": r"\x1b", "v": _VERTICAL}.get(found["escape"]) or _escape(found["escape"])
        if found["double"]:
            return found[0] + "\\"
        return "\\[" if found["nested"] else found[0]

    return re.sub(_IN_SET, rewrite, text, flags=re.DOTALL | re.VERBOSE)


class _Translation:
    """A PCRE pattern, rewritten token by token for the engine, and counted."""

    def __init__(self, pattern: _Pattern) -> None:
        inline = re.match(r"\(\?[a-zA-Z]*x[a-zA-Z]*[-)]", pattern.text)
        self.pattern = pattern
        self.verbose = "x" in pattern.flags or inline is not None
        self.pieces: list[str] = []
        self.starts: list[tuple[int, int]] = []
        self.length = 0
        self.groups = 0
        self.costs = [0]
        """The cost of each group that is open."""
        self.last = 0
        """The cost of the last item, which a repeat multiplies."""

    def run(self) -> str:
        """The text for the engine. `(?-f)`: one letter never matches two, as in PCRE."""
        anchored = "A" in self.pattern.flags
        self.emit(r"\G(?:(?-f)" if anchored else "(?-f)")
        for token in _token_pattern(verbose=self.verbose).finditer(self.pattern.text):
            self.starts.append((self.length, token.start()))
            self.emit(self.translate(token))
            if self.costs[-1] + self.last > MAX_UNROLLED:
                self.fail("too many groups or repeats", token)
        return "".join(self.pieces) + (")" if anchored else "")

    def emit(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def fail(self, what: str, token: re.Match[str]) -> NoReturn:
        at = self.pattern.start + token.start()
        raise _PatternError(f"the pattern is not valid: {what} at position {at}")

    def origin(self, position: int) -> int:
        """Where in the pattern as given a position of the translated text comes from."""
        nearest = bisect_right(self.starts, (position, sys.maxsize)) - 1
        translated, original = self.starts[max(nearest, 0)]
        moved = min(max(position - translated, 0), len(self.pattern.text) - original)
        return self.pattern.start + original + moved

    def translate(self, token: re.Match[str]) -> str:
        """The rewritten token, after its cost has been added."""
        kind = token.lastgroup
        if kind == "how":
            return self.repeat(token)
        if kind in ("blank", "comment"):
            return self.nothing(token)
        if kind == "scope":
            return self.flags(token)
        if kind in ("open", "close"):
            return self.group(token)
        self.costs[-1] += self.last
        self.last = len(token[0])
        return self.item(kind, token)

    def nothing(self, token: re.Match[str]) -> str:
        r"""An empty comment and not an empty text, which would join `\1 0` or `( ?i)`."""
        if token[0].startswith("(") and not token[0].endswith(")"):
            self.fail("missing ) of a comment", token)
        return "(?#)"

    def item(self, kind: str | None, token: re.Match[str]) -> str:
        if kind == "quoted":
            return re.escape(token["quoted"])
        if kind == "escape":
            if token["escape"] in ("p", "P"):
                self.fail("missing name of a property", token)
            return self.reference(token["escape"])
        if kind == "set":
            if len(token[0]) < len("[x]") or not token[0].endswith("]"):
                self.fail("missing ] of a set", token)
            return _set(token[0])
        if kind == "brace":
            return r"\{"
        if token[0] == "$" and "D" in self.pattern.flags and "m" not in self.pattern.flags:
            return r"\Z"
        return token[0]

    def reference(self, escape: str) -> str:
        relative = re.fullmatch(r"g\{?-([0-9]{1,9})\}?", escape)
        return f"(?P={self.groups + 1 - int(relative[1])})" if relative else _escape(escape)

    def group(self, token: re.Match[str]) -> str:
        if token["close"]:
            self.last += GROUP + self.costs.pop()
            self.costs = self.costs or [0]
            return ")"
        self.open_group()
        name = token[0][3:-1]
        follows = self.pattern.text[token.end() : token.end() + 2]
        if token[0] == "(" or name or (token[0] == "(?" and re.match("P<|<[^=!]", follows)):
            self.groups += 1
        return f"(?P<{name}>" if name else token[0]

    def open_group(self) -> None:
        self.costs[-1] += self.last
        self.last = 0
        self.costs.append(0)

    def flags(self, token: re.Match[str]) -> str:
        """Inline flags. The engine never learns of x: the spaces are gone before it reads them."""
        letters, scope = token["flags"], token["scope"]
        if letters == "R" and scope == ")":
            return token[0]
        if token.start() == 0 and scope == ")" and self.verbose:
            letters = letters.replace("x", "", 1)
        if not re.fullmatch("[ims]*(-[ims]*)?", letters):
            self.fail("inline flags other than i, m and s, and x in front of all,", token)
        if scope == ":":
            self.open_group()
            return f"(?{letters}:"
        return f"(?{letters})" if letters.strip("-") else "(?#)"

    def repeat(self, token: re.Match[str]) -> str:
        # Cut, because Python refuses to read a number of 5,000 digits.
        bounds = [(token[bound] or "").lstrip("0")[:9] for bound in ("least", "most")]
        least, most = (int(bound or "0") for bound in bounds)
        if max(least, most) > MAX_COUNT:
            self.fail(f"a count larger than {MAX_COUNT}", token)
        if token[0].startswith("+"):
            least = 1
        if least:
            self.last = max(self.last, 1) * (least + 1)
        if "U" not in self.pattern.flags:
            return token[0]
        how = token["how"]
        return token[0].removesuffix(how) + {"": "?", "?": ""}.get(how, how)


def _compile(given: str, flags: str) -> "regex.Pattern[str]":
    if len(given) > MAX_PATTERN:
        raise _PatternError(f"the pattern is longer than {MAX_PATTERN // 1024} KiB")
    pattern = _split(given, flags)
    translation = _Translation(pattern)
    text = translation.run()
    try:
        return _compile_translated(text, pattern.flags)
    except _InvalidError as error:
        where = (
            "" if error.position is None else f" at position {translation.origin(error.position)}"
        )
        raise _PatternError(f"the pattern is not valid: {error}{where}") from error


def _compile_translated(text: str, flags: str) -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415  # 15 ms that a script without patterns need not spend

    options = regex.V1 | regex.UNICODE
    for letter, option in (("i", regex.I), ("m", regex.M), ("s", regex.S)):
        if letter in flags:
            options |= option
    try:
        with _stopped_when_late(len(text)):
            return regex.compile(text, options, cache_pattern=False)
    except (TimeoutError, MemoryError):
        raise
    except RecursionError as error:
        raise _InvalidError("its groups are nested too deep") from error
    except Exception as error:
        # 4,500 lines of Python have read what a hostile script wrote; other errors than their own may come.
        position = error.pos if isinstance(error, regex.error) else None
        raise _InvalidError(getattr(error, "msg", str(error)), position) from error
    finally:
        # The package remembers every pattern it has seen, and only its own cache would ever trim that.
        if len(text) > GUARDED:
            regex.purge()


_compile_short = lru_cache(maxsize=64)(_compile)
_SHORT = 1024


@contextmanager
def _stopped_when_late(length: int) -> Iterator[None]:
    """Let a compilation raise TimeoutError at its limit, unless a profiler is at work already."""
    deadline = monotonic() + TIME_LIMIT

    def check(frame: "FrameType", _event: str, _argument: object) -> None:
        # What is raised in a __del__ is lost, and the profile function with it.
        if monotonic() > deadline and frame.f_code.co_name != "__del__":
            raise TimeoutError

    if length < GUARDED or sys.getprofile() is not None:
        yield
        return
    sys.setprofile(check)
    try:
        yield
    finally:
        sys.setprofile(None)


class _Search:
    """One call: its pattern, its deadline, and how much it may still give back."""

    def __init__(self, subject: str, pattern: str, flags: str) -> None:
        self.subject = subject
        self.deadline = monotonic() + TIME_LIMIT
        self.left = MAX_RESULT
        self.pattern = (_compile_short if len(pattern) <= _SHORT else _compile)(pattern, flags)

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
            raise _PatternError(f"the result is larger than {MAX_RESULT // 1024 // 1024} MiB")

    def with_names(self, columns: "Sequence[Json]") -> Json:
        """JSON has no table that is a list and an object; regex.lua puts the two together."""
        names = self.pattern.groupindex
        if not names:
            return list(columns)
        return {
            "": list(columns),
            "names": {name: columns[index] for name, index in names.items()},
        }


@contextmanager
def _errors_of(function: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        message = f"regex.{function}: the pattern took longer than {TIME_LIMIT:g} s"
        raise RegexTimeout(message, hint="Avoid repeats within repeats, such as (a+)+.") from error
    except MemoryError as error:
        raise InvalidArguments(f"regex.{function}: the pattern needs too much memory") from error
    except _PatternError as error:
        raise InvalidArguments(f"regex.{function}: {error}") from error


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
        return (
            search.with_names([list(column) for column in zip(*rows, strict=True)]) if rows else []
        )


def gsub(subject: str, pattern: str, replacement: str, limit: int = -1) -> Json:
    """The subject with its matches replaced, the first `limit` of them where that is not negative."""
    with _errors_of("gsub"):
        search = _Search(subject, pattern, "")
        return _replaced(search, _replacement_parts(search, replacement), limit)


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


def _replacement_parts(search: _Search, replacement: str) -> "list[str | int]":
    """The literal texts of a replacement and the groups between them."""
    pattern, parts, end = search.pattern, list[str | int](), 0
    for reference in re.finditer(_REFERENCE, replacement):
        search.check_time()
        parts.append(replacement[end : reference.start()])
        end = reference.end()
        name = reference["number"] or reference["name"] or ""
        number = (
            int(name) if re.fullmatch("[0-9]{1,9}", name) else pattern.groupindex.get(name, -1)
        )
        if reference["literal"]:
            parts.append(reference["literal"])
        elif 0 <= number <= pattern.groups:
            parts.append(number)
    return [part for part in (*parts, replacement[end:]) if part != ""]


FUNCTIONS: Mapping[str, Callable[..., Json]] = {
    "match": match,
    "match_all": match_all,
    "gsub": gsub,
}
"""What Lua calls, by the names of the table `regex`."""
