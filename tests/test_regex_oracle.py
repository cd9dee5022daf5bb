"""Thousands of patterns, made from a grammar: `regex` finds what PCRE2 itself finds, with the same offsets.

The grammar has what is documented to be the same; docs/regex.md lists what is not.
"""

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.lua.helpers.regex import functions

REGEX = functions()
find_all = REGEX["find_all"]

if TYPE_CHECKING:
    from collections.abc import Callable

ORACLE = Path(__file__).parent / "pcre2_oracle.lua"
MODULES = ["lua5.4", "-e", 'require "rex_pcre2" require "cjson"']

CHARACTERS = "aaabbbc1 \nAé"
ITEMS = r"""
    a b c 1 A é . \w \d \s \W \D \S \h \H \v \V \R \N \X \n \x61 \x{e9} \101 \p{L} \P{L} \pN
    [ab] [^a] [a-c1] [^\n] [\d\h] [[:alpha:]] [[:^alpha:]b] [^\W\d] [\x{e9}-]
""".split()  # noqa: SIM905  # a list of quoted strings is hard to read
PLACES = r"^ $ \b \B \A \Z \z".split()  # noqa: SIM905  # the same
REPEATS = "* + ? {2} {1,2} {2,} *? +? ?? {1,2}? *+ ++ ?+ {1,2}+".split()  # noqa: SIM905  # the same
FLAGS = ["i", "m", "s", "x", "U", "-i", "im", "x-m", "^", "^s"]
BEHIND = ["a", "b", "^", "ab", "[ab]", r"\n", "a|b"]


class Grammar:
    """Makes one pattern from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # repeatable
        self._groups = 0
        self._closed: list[int] = []
        self._callable: list[int] = []
        self._resets = 0

    def case(self) -> tuple[str, str, str]:
        """Return a pattern, flags and a subject."""
        pattern = self._branches(3)
        flags = "".join(flag for flag in "imsxDU" if self._random.random() < 0.1)
        return (
            pattern,
            flags,
            "".join(self._random.choices(CHARACTERS, k=self._random.randrange(9))),
        )

    def _branches(self, depth: int) -> str:
        return "|".join(self._sequence(depth) for _ in range(self._random.choice([1, 1, 1, 2, 3])))

    def _sequence(self, depth: int) -> str:
        length = self._random.choice([0, 1, 1, 2, 2, 3])
        return "".join(self._item(depth) for _ in range(length))

    def _item(self, depth: int) -> str:
        if self._random.random() < 0.1:
            return self._random.choice(PLACES)
        if depth == 0 or self._random.random() < 0.5:
            return self._repeated(self._random.choice(ITEMS))
        kinds: list[Callable[[int], str]] = [
            *[self._group] * 3,
            self._wrapped,
            self._look_around,
            self._reset,
            self._inline_flags,
            *[self._reference, self._condition] * bool(self._closed),
        ]
        return self._random.choice(kinds)(depth - 1)

    def _repeated(self, item: str) -> str:
        return item + (self._random.choice(REPEATS) if self._random.random() < 0.35 else "")

    def _group(self, depth: int) -> str:
        self._groups += 1
        number = self._groups
        inner = self._branches(depth)
        self._closed.append(number)
        if not self._resets:
            self._callable.append(number)
        opening = self._random.choice(["(", f"(?<n{number}>", f"(?P<n{number}>"])
        return self._repeated(f"{opening}{inner})")

    def _wrapped(self, depth: int) -> str:
        return self._repeated(self._random.choice(["(?:", "(?>"]) + self._branches(depth) + ")")

    def _look_around(self, depth: int) -> str:
        if self._random.random() < 0.5:
            return self._random.choice(["(?<=", "(?<!"]) + self._random.choice(BEHIND) + ")"
        return self._random.choice(["(?=", "(?!"]) + self._branches(depth) + ")"

    def _reset(self, depth: int) -> str:
        before, branches, ends = self._groups, list[str](), list[int]()
        self._resets += 1
        for _ in range(2):
            self._groups = before
            branches.append(self._group(depth))
            ends.append(self._groups)
        self._resets -= 1
        self._groups = max(ends)
        return "(?|" + "|".join(branches) + ")"

    def _inline_flags(self, depth: int) -> str:
        flags = self._random.choice(FLAGS)
        return (
            f"(?{flags})" if self._random.random() < 0.5 else f"(?{flags}:{self._branches(depth)})"
        )

    def _reference(self, _: int) -> str:
        number = self._random.choice(self._closed)
        forms = ["\\{}", "\\g{{{}}}"] + ["(?{})", "\\g<{}>"] * (number in self._callable)
        return self._repeated(self._random.choice(forms).format(number))

    def _condition(self, depth: int) -> str:
        test = self._random.choice(
            [f"({self._random.choice(self._closed)})", f"(?={self._item(0)})"]
        )
        return self._repeated(f"(?{test}{self._sequence(depth)}|{self._sequence(depth)})")


def _oracle(cases: list[tuple[str, str, str]]) -> list[Any]:
    done = subprocess.run(  # noqa: S603  # Debian's Lua, on our own script
        ["lua5.4", str(ORACLE)],  # noqa: S607  # wherever it is
        input=json.dumps(cases).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    # cjson writes an empty table as {}.
    return [[] if answer == {} else answer for answer in json.loads(done.stdout)]


def _ours(pattern: str, flags: str, subject: str) -> list[Any] | str:
    try:
        batch: Any = find_all(subject, pattern, flags)
    except InvalidArguments as problem:
        return problem.message
    places = zip(batch["places"][::2], batch["places"][1::2], batch["rows"], strict=True)
    return [[first, last, *row[1:]] for first, last, row in places]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """Skip where the oracle is not installed."""
    lua = shutil.which("lua5.4")
    if not lua or subprocess.run([lua, *MODULES[1:]], capture_output=True, check=False).returncode:  # noqa: S603  # the same
        pytest.skip("needs Debian's lua5.4, lua-rex-pcre2 and lua-cjson")


@pytest.mark.parametrize("start", range(0, 5000, 500))
def test_what_pcre2_finds_is_found(start: int) -> None:
    """Ours: in five hundred made-up patterns, the same matches, groups and offsets, or both refuse."""
    cases = [Grammar(seed).case() for seed in range(start, start + 500)]
    expected = _oracle(cases)
    assert sum(answer is not False for answer in expected) > 450
    differing = [
        (case, answer, ours)
        for case, answer in zip(cases, expected, strict=True)
        if answer is not False and (ours := _ours(*case)) != answer
    ]
    assert differing == []
