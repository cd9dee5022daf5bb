"""The Lua table `regex`: PCRE patterns with PHP's delimiters and replacements, and limits that hold."""

import gc
import sys
import time
from collections.abc import Callable

import pytest

from kosmo_lua.errors import InvalidArguments, RegexTimeout
from kosmo_lua.lua.helpers import regex as table
from kosmo_lua.lua.helpers.regex import gsub, match, match_all
from kosmo_lua.values import Json

Evaluate = Callable[[str], Json]


@pytest.mark.parametrize(
    ("subject", "pattern", "found"),
    [
        ("order 42", r"\d+", ["42"]),
        ("order", r"\d+", None),
        ("a-b", r"(\w)-(\w)", ["a-b", "a", "b"]),
        ("ab", r"(a)(x)?(b)", ["ab", "a", "", "b"]),
        ("é", r"^\w$", ["é"]),
        ("日本", r"\p{Han}+", ["日本"]),
        ("", "", [""]),
    ],
)
def test_match_gives_the_match_and_its_groups(subject: str, pattern: str, found: Json) -> None:
    """The full match comes first; a group that took no part is empty."""
    assert match(subject, pattern) == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("B", None),
        ("/B/", None),
        ("/B/i", ["b"]),
        ("#B#i", ["b"]),
        ("~B~iu", ["b"]),
        ("/a/", ["a"]),
        ("/a", ["/a"]),
        ("/a/b", ["/a/b"]),
        ("(B)i", None),
        ("//", [""]),
    ],
)
def test_patterns_are_bare_or_delimited(pattern: str, found: Json) -> None:
    """A pattern between two `/`, `#` or `~` and before nothing but flags loses them."""
    assert match("/a/b", pattern) == found


@pytest.mark.parametrize(
    ("subject", "pattern", "flags", "found"),
    [
        ("AB", "b", "i", ["B"]),
        ("a\nb", "^b$", "", None),
        ("a\nb", "^b$", "m", ["b"]),
        ("a\nb", "a.b", "", None),
        ("a\nb", "a.b", "s", ["a\nb"]),
        ("ab", " a # first\n b", "x", ["ab"]),
        ("a b#", r"a\ b\# # escaped", "x", ["a b#"]),
        ("a b", "a[ ]b", "x", ["a b"]),
        ("aaa", "a+", "U", ["a"]),
        ("aaa", "a+?", "U", ["aaa"]),
        ("aaa", "(?:a){2,}", "U", ["aa"]),
        ("ba", "a", "A", None),
        ("ab", "a", "A", ["a"]),
        ("a\n", "a$", "", ["a"]),
        ("a\n", "a$", "D", None),
        ("a\nb", "a$", "Dm", ["a"]),
        ("é", "^.$", "uX", ["é"]),
    ],
)
def test_flags_mean_what_they_mean_in_php(
    subject: str, pattern: str, flags: str, found: Json
) -> None:
    """As an argument and behind a delimiter."""
    assert match(subject, pattern, flags) == found
    if "#" not in pattern:
        assert match(subject, f"#{pattern}#{flags}") == found


@pytest.mark.parametrize(("pattern", "flags"), [("a", "g"), ("/a/g", ""), ("a", "I")])
def test_an_unknown_flag_is_told_with_the_known_ones(pattern: str, flags: str) -> None:
    """Flags of other languages are not ignored."""
    with pytest.raises(InvalidArguments) as failure:
        match("a", pattern, flags)
    assert failure.value.message.endswith("the flags are i, m, s, x, u, A, D, U, X")


@pytest.mark.parametrize(
    ("subject", "pattern", "found"),
    [
        ("aB", "a(?i)b", "aB"),
        ("AB", "a(?i)b", None),
        ("aBc", "a(?i:b)c", "aBc"),
        ("ab", "(?x) a b # c", "ab"),
        ("a\n", r"a\Z", "a"),
        ("a\n", r"a\z", None),
        ("é", r"\x{e9}", "é"),
        ("é", r"[\x{e9}]", "é"),
        ("\x1b", r"\e", "\x1b"),
        ("a.b", r"\Qa.b\E", "a.b"),
        ("axb", r"\Qa.b", None),
        ("x\n", r"x\v", "x\n"),
        ("x", r"[^\v]", "x"),
        ("x\t", r"x\h", "x\t"),
        ("\n", r"\N", None),
        ("aa", r"(?<n>a)\k<n>", "aa"),
        ("aa", r"(?'n'a)\k'n'", "aa"),
        ("aa", r"(?P<n>a)\k{n}", "aa"),
        ("aa", r"(a)\g{1}", "aa"),
        ("aa", r"(a)\g1", "aa"),
        ("abb", r"(a)(b)\g{-1}", "abb"),
        ("[a", "[[a]+", "[a"),
        ("a]", r"[]a]+", "a]"),
        ("&&", "[a&&b]+", "&&"),
        ("a1", "[[:alpha:]][[:^alpha:]]", "a1"),
        ("e{", "e{", "e{"),
        ("a{e<=1}", "a{e<=1}", "a{e<=1}"),
        ("aaa", "a++", "aaa"),
        ("aaa", "a(?# comment )+", "aaa"),
        ("(())", r"\((?R)?\)", "(())"),
        ("SS", "(?i)ß", None),
        ("foobar", r"foo\Kbar", "bar"),
    ],
)
def test_patterns_are_read_as_pcre_reads_them(
    subject: str, pattern: str, found: str | None
) -> None:
    """Where the engine has another opinion, the pattern is rewritten for it."""
    answer = match(subject, pattern)
    answer = answer[""] if isinstance(answer, dict) else answer
    assert (answer[0] if isinstance(answer, list) else None) == found


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(ab", "missing ) at position 3"),
        ("/(ab/", "missing ) at position 4"),
        ("/a**/A", "multiple repeat at position 3"),
        ("ab)", "unbalanced parenthesis at position 2"),
        ("a**", "multiple repeat at position 2"),
        ("[ab", "missing ] of a set at position 0"),
        (r"\x{e9}(", "missing ) at position 7"),
        (r"\x{110000}", r"\x{110000} is no code point"),
        ("a(?#b", "missing ) of a comment at position 1"),
        ("a{2,1}", "min repeat greater than max repeat at position 2"),
        ("(" * 5000, "its groups are nested too deep"),
        ("a(?x: b)", "inline flags other than i, m and s, and x in front of all, at position 1"),
        ("(?V0)a", "inline flags other than i, m and s, and x in front of all, at position 0"),
    ],
)
def test_an_invalid_pattern_is_told_with_its_place(pattern: str, problem: str) -> None:
    """The position counts in the pattern as it was given, with its delimiters."""
    with pytest.raises(InvalidArguments) as failure:
        match("a", pattern)
    assert failure.value.message.startswith("regex.match: ")
    assert failure.value.message.endswith(problem)


def test_match_all_gives_columns() -> None:
    """First all full matches, then all first groups, and so on."""
    assert match_all("a1b22", r"([a-z])(\d+)?") == [["a1", "b22"], ["a", "b"], ["1", "22"]]
    assert match_all("abc", r"\d") == []
    assert match_all("aa", "") == [["", "", ""]]


def test_named_groups_come_beside_the_list() -> None:
    """Python gives both; Lua makes one table of them."""
    assert match("2024-01", r"(?<year>\d+)-(\d+)") == {
        "": ["2024-01", "2024", "01"],
        "names": {"year": "2024"},
    }
    assert match_all("a1b2", r"(?<letter>[a-z])\d") == {
        "": [["a1", "b2"], ["a", "b"]],
        "names": {"letter": ["a", "b"]},
    }


@pytest.mark.parametrize(
    ("replacement", "result"),
    [
        ("$2 $1", "Smith John"),
        ("${2}1", "Smith1"),
        (r"\2 \1", "Smith John"),
        ("<$0>", "<John Smith>"),
        ("${first}!", "John!"),
        ("$9${none}", ""),
        ("$ $$ $x", "$ $$ $x"),
        (r"\$1 \\1", r"$1 \1"),
        ("", ""),
    ],
)
def test_replacements_refer_to_groups_as_in_php(replacement: str, result: str) -> None:
    """A group that does not exist is empty, a dollar without a number is a dollar."""
    assert gsub("John Smith", r"(?<first>\w+) (\w+)", replacement) == result


def test_gsub_replaces_all_or_as_many_as_asked() -> None:
    """Empty matches count, as in Perl; a negative limit is none."""
    assert gsub("aaa", "a", "b") == "bbb"
    assert gsub("aaa", "a", "b", 2) == "bba"
    assert gsub("aaa", "a", "b", 0) == "aaa"
    assert gsub("abxd", "x*", "-") == "-a-b--d-"


@pytest.mark.parametrize("function", [match, match_all, lambda text, it: gsub(text, it, "")])
def test_a_slow_match_is_stopped(
    function: Callable[[str, str], Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catastrophic backtracking ends at the time limit."""
    monkeypatch.setattr(table, "TIME_LIMIT", 0.1)
    begin = time.monotonic()
    with pytest.raises(RegexTimeout):
        function("a" * 40 + "b", r"(?:(a)|\1|a)*\1c|^(?:a|a)*$")
    assert time.monotonic() - begin < 5


def test_a_slow_compilation_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling is Python code without a limit of its own; no profile function stays behind."""
    monkeypatch.setattr(table, "TIME_LIMIT", 0.01)
    with pytest.raises(RegexTimeout):
        match("a", "|".join(f"word{i}" for i in range(7000)))
    assert sys.getprofile() is None


def test_a_slow_compilation_is_stopped_whatever_the_collector_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception in a callback of the collector would be lost, and the time limit with it."""
    monkeypatch.setattr(table, "TIME_LIMIT", 0.01)
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
    """Reading a pattern takes time in proportion to its length."""
    begin = time.monotonic()
    with pytest.raises(InvalidArguments):
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
    monkeypatch.setattr(table, "MAX_RESULT", 100_000)
    with pytest.raises(InvalidArguments):
        match_all("a" * 5000, "(?=(.*))")
    with pytest.raises(InvalidArguments):
        match("a" * 1000, "(?=(.*))" * 200)
    with pytest.raises(InvalidArguments):
        gsub("a" * 1000, "a", "x" * 1000)
    with pytest.raises(InvalidArguments):
        gsub("a" * 1000, "(?=(.*))", "$1$1")


def test_lua_gets_one_table_with_groups_by_number_and_name(evaluate: Evaluate) -> None:
    """Which JSON cannot hold, so the glue in Lua makes it."""
    code = """
        local m = regex.match("2024-01", "(?<year>\\\\d+)-(\\\\d+)")
        local all = regex.match_all("a1b2", "/(?<l>[a-z])\\\\d/")
        return {#m, m[1], m.year, m[3], all[1][2], all.l[1]}
    """
    assert evaluate(code) == [3, "2024-01", "2024", "01", "b2", "a"]


def test_lua_gets_nil_and_strings(evaluate: Evaluate) -> None:
    """No match is nil, no matches an empty table, and gsub takes a limit."""
    assert evaluate('return regex.match("a", "b") == nil') is True
    assert evaluate('return #regex.match_all("a", "b")') == 0
    assert (
        evaluate('return regex.gsub("John Smith", "(\\\\w+) (\\\\w+)", "$2 $1")') == "Smith John"
    )
    assert evaluate('return regex.gsub("aaa", "/A/i", "b", 2)') == "bba"
    assert evaluate('return regex.match("A", "a", "i")[1]') == "A"


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("match('a', 5)", "regex.match: the pattern must be a string, got a number"),
        ("match()", "regex.match: the subject must be a string, got nil"),
        ("match('a', 'a', {})", "regex.match: the flags argument must be a string, got a table"),
        ("match_all({}, 'a')", "regex.match_all: the subject must be a string, got a table"),
        ("gsub('a', 'a')", "regex.gsub: the replacement must be a string, got nil"),
        ("gsub('a', 'a', 'b', 'c')", "regex.gsub: the limit must be an integer, got a string"),
        ("match('a', '(')", "regex.match: the pattern is not valid: missing ) at position 1"),
    ],
)
def test_lua_is_told_what_is_wrong(evaluate: Evaluate, call: str, problem: str) -> None:
    """Wrong arguments are errors that a script can catch."""
    code = f"local ok, problem = pcall(function() return regex.{call} end) return {{ok, tostring(problem)}}"
    answer = evaluate(code)
    assert isinstance(answer, list)
    assert answer[0] is False
    assert str(answer[1]).endswith(problem)
