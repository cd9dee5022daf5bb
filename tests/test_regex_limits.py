"""Limits of `regex`: no pattern takes more time or memory than it may, compiling, matching or answering."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from kosmo_lua.errors import InvalidArguments, RegexTimeout
from kosmo_lua.lua.helpers.regex import functions, gsub, match, match_all, split
from kosmo_lua.lua.pcre import search
from kosmo_lua.values import Json

REGEX = functions()
find_all = REGEX["find_all"]
find_more = REGEX["find_more"]


@pytest.mark.parametrize(
    "function", [match, match_all, find_all, split, lambda text, it: gsub(text, it, "")]
)
def test_a_slow_match_is_stopped(
    function: Callable[[str, str], Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catastrophic backtracking ends at the time limit."""
    monkeypatch.setattr(search, "TIME_LIMIT", 0.1)
    begin = time.monotonic()
    with pytest.raises(RegexTimeout):
        function("a" * 40 + "b", r"(?:(a)|\1|a)*\1c|^(?:a|a)*$")
    assert time.monotonic() - begin < 5


def test_a_slow_compilation_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling is Python code without a limit of its own; no profile function stays behind."""
    monkeypatch.setattr(search, "TIME_LIMIT", 0.01)
    with pytest.raises(RegexTimeout):
        match("a", "|".join(f"word{i}" for i in range(7000)))
    assert sys.getprofile() is None


def test_a_slow_compilation_is_stopped_whatever_the_collector_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception in a callback of the collector would be lost, and the time limit with it."""
    monkeypatch.setattr(search, "TIME_LIMIT", 0.01)
    calls: list[str] = []

    def callback(phase: str, _: dict[str, int]) -> None:
        calls.append(phase)

    gc.callbacks.append(callback)
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        with pytest.raises(RegexTimeout):
            match("a", "|".join(f"term{i}" for i in range(7000)))
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(callback)
    assert calls


def test_a_profiler_at_work_is_left_alone() -> None:
    """Who profiles the program keeps its profile function."""
    seen: list[str] = []

    def profile(_frame: object, event: str, _argument: object) -> None:
        seen.append(event)

    sys.setprofile(profile)
    try:
        assert match("word7", "|".join(f"word{i}" for i in range(1000))) == ["word7"]
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert seen


@pytest.mark.parametrize(
    "pattern",
    [
        "a{4294967294}",
        "(?:ab){65535}{1}|(?:(?:ab){300}){300}",
        "(?:" * 15 + "ab" + "){2}" * 15,
        "(?:" * 30 + "ab" + ")+" * 30,
        "#(?:(?:ab){60000}){600}",
        "[(](?:(?:ab){60000}){600}",
        "[[:foo:](](?:(?:ab){60000}){600}[)]",
        "(?x)a #(\n(?:(?:ab){60000}){600}",
        r"\Q(\E(?:(?:ab){60000}){600}",
        "(?:(?:[a-z]{600}){600}){600}",
        "(){60000}",
        "a{" + "9" * 5000 + "}",
        "(?:(?:ab){0000000000300}){300}",
        r"\p{^(?R)(?:(?:ab){60000}){600}",
        r"\N{--(?:(?:ab){60000}){600}",
        r"(?<a>)\k<a)(?:(?:ab){60000}){600}>",
    ],
)
def test_repeats_that_would_take_all_memory_are_refused(pattern: str) -> None:
    """The engine unrolls repeats while it compiles; a hundred characters would take gigabytes."""
    begin = time.monotonic()
    with pytest.raises(InvalidArguments):
        match("a", pattern)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "pattern",
    ["[" * 65000, "(?#" * 20000, r"\x{" * 20000, "(" * 65000, "a" * 70000, "[[:" * 20000],
)
def test_long_invalid_patterns_are_refused_at_once(pattern: str) -> None:
    """Reading a pattern takes time in proportion to its length, and a second at most."""
    begin = time.monotonic()
    with pytest.raises((InvalidArguments, RegexTimeout)):
        match("a", pattern)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    "pattern", ["a{60000}", r"(?:\d{1,3}\.){3}\d{1,3}", "(?:a{0,1000}){0,1000}"]
)
def test_ordinary_repeats_are_allowed(pattern: str) -> None:
    """What unrolls to little is compiled."""
    assert match("x", f"x|{pattern}") == ["x"]


def test_results_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small subject can have a huge result; it is refused before it is built."""
    monkeypatch.setattr(search, "MAX_RESULT", 100_000)
    with pytest.raises(InvalidArguments):
        match_all("a" * 5000, "(?=(.*))")
    with pytest.raises(InvalidArguments):
        match("a" * 1000, "(?=(.*))" * 200)
    with pytest.raises(InvalidArguments):
        gsub("a" * 1000, "a", "x" * 1000)
    with pytest.raises(InvalidArguments):
        gsub("a" * 1000, "(?=(.*))", "$1$1")


def test_each_batch_of_a_loop_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found in time is given; the match that takes too long is an error when its turn comes."""
    monkeypatch.setattr(search, "TIME_LIMIT", 0.1)
    subject = "x" + "a" * 40 + "b"
    batch: Any = find_all(subject, r"x|(?:(a)|\1|a)*\1c|^(?:a|a)*$")
    assert (batch["rows"], batch["places"]) == ([["x", ""]], [1, 1])
    with pytest.raises(RegexTimeout):
        find_more(batch["cursor"])


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts all memory only there")
@pytest.mark.parametrize("pattern", ["(?R)?a", "((?1)|a)", "(?:(?R)|(a))*"])
def test_a_pattern_that_needs_too_much_memory_is_refused(pattern: str) -> None:
    """With 256 MiB to spare, a recursion without an end is an error, and the next match works."""
    code = f"""
import re, resource
from pathlib import Path
from kosmo_lua.errors import InvalidArguments
from kosmo_lua.lua.helpers.regex import match
assert match("a", "a") == ["a"]
used = int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + (256 << 20),) * 2)
try:
    match("a", {pattern!r})
except InvalidArguments as problem:
    print(problem.message)
assert match("ab", "(?<=a)b") == ["b"]
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # see above
    assert done.stdout == "regex.match: the pattern needs too much memory\n", done.stderr
