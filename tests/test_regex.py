"""The Lua table `regex`: what its functions take and return."""

from collections.abc import Callable
from typing import Any

import pytest

from kosmo_lua.lua.helpers.regex import functions, gsub, match, match_all, split
from kosmo_lua.lua.pcre import cursor
from kosmo_lua.values import Json

REGEX = functions()
find_all = REGEX["find_all"]
find_more = REGEX["find_more"]

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


def test_split_is_that_of_php() -> None:
    """A limit above 0 leaves the rest in the last text; an empty match splits at both ends, too."""
    assert split("a, b,c", r",\s*") == ["a", "b", "c"]
    assert split("abc", "x") == ["abc"]
    assert split("a,b,c", ",", 2) == ["a", "b,c"]
    assert split("a,b,c", ",", 1) == ["a,b,c"]
    assert split("a,b", ",", 0) == ["a", "b"]
    assert split("abc", "") == ["", "a", "b", "c", ""]
    assert split("aXb", "x", -1, "i") == ["a", "b"]
    assert split("1+2", "([+])") == ["1", "2"]


def test_lua_gets_all_matches_with_their_bytes(evaluate: Evaluate) -> None:
    """As tables like those of match, and positions that fit string.sub."""
    code = r"""
        local found, text = {}, "é1 a22"
        for m, first, last in regex.find_all(text, [[(?<l>\w)(\d+)]]) do
            found[#found + 1] = {m[1], m.l, m[3], first, last, text:sub(first, last) == m[1]}
        end
        return found
    """
    assert evaluate(code) == [["é1", "é", "1", 1, 3, True], ["a22", "a", "22", 5, 7, True]]


def test_a_loop_can_have_any_number_of_matches(evaluate: Evaluate) -> None:
    """More than come at once; afterwards the iterator stays at its end."""
    code = r"""
        local count, total = 0, 0
        local step = regex.find_all(("é,"):rep(1000), [[,|\b]])
        for _, first, last in step do count, total = count + 1, total + first end
        return {count, total, step() == nil}
    """
    places = [start + 3 * index for index in range(1000) for start in (1, 3)]
    assert evaluate(code) == [2000, sum(places), True]


@pytest.mark.parametrize(("bound", "value"), [("MOST", 2), ("MOST_SIZE", 100)])
def test_loops_go_on_however_many_there_are(
    bound: str, value: int, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the host has forgotten it is told again, so that its memory is bounded."""
    monkeypatch.setattr(cursor, bound, value)
    monkeypatch.setattr(cursor, "BATCH", 3)
    code = r"""
        local steps, found = {}, {}
        for index = 1, 5 do steps[index], found[index] = regex.find_all("aé,b", [[\w|]]), "" end
        for round = 1, 8 do
            for index, step in ipairs(steps) do
                local m, first, last = step()
                if m then found[index] = found[index] .. first .. ":" .. last .. " " end
            end
        end
        return found
    """
    assert evaluate(code) == ["1:1 2:3 4:3 5:5 6:5 "] * 5


@pytest.mark.parametrize(("bound", "value"), [("MOST", 2), ("MOST_SIZE", 500)])
def test_loops_that_were_left_are_forgotten(
    bound: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those used longest ago, when there are too many or their texts are too large together."""
    monkeypatch.setattr(cursor, bound, value)
    left: list[Any] = [find_all("a" * 300, ".") for _ in range(3)]
    assert find_more(left[0]["cursor"]) is None
    last: Any = find_more(left[2]["cursor"])
    assert len(last["rows"]) == 300 - cursor.BATCH


def test_an_escaped_text_matches_itself_alone(evaluate: Evaluate) -> None:
    """Also where it looks delimited, and with the flag x."""
    code = r"""
        local all = "/a.b*[c]{2} (é)\n#~^$|\\-_\0/"
        local pattern = regex.escape(all)
        return regex.match(all, pattern)[1] == all and regex.match(all, pattern, "x")[1] == all
            and regex.match("/aab", regex.escape("/a.b")) == nil
    """
    assert evaluate(code) is True


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
        ("match('a\\xff', 'a')", "regex.match: the subject is not valid UTF-8 at byte 2"),
        ("find_all('a')", "regex.find_all: the pattern must be a string, got nil"),
        ("split('a', 'a', 1.5)", "regex.split: the limit must be an integer, got a number"),
        ("escape()", "regex.escape: the text must be a string, got nil"),
        (
            "find_all('a', '(')",
            "regex.find_all: the pattern is not valid: missing ) at position 1",
        ),
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
