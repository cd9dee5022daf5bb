"""How values are printed: print, dump, tostring and errors share one format."""

from collections.abc import Callable

import pytest

from kosmo_lua import Result
from kosmo_lua.values import Json

Evaluate = Callable[[str], Json]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nil", "nil"),
        ("true", "true"),
        ("1", "1"),
        ("1.0", "1.0"),
        ("1e100", "1e+100"),
        ("'a \"b\"'", 'a "b"'),
        ("print", "function"),
        ("coroutine.create(print)", "thread"),
        ("json.null", "null"),
        ("{}", "{}"),
        ("json.array()", "[]"),
        ("json.decode('[]')", "[]"),
        ("{1, 'two', false}", "[\n  1,\n  two,\n  false\n]"),
        ("{a = 1}", "{\n  a: 1\n}"),
        ("{1, nil, 3}", "{\n  1: 1,\n  3: 3\n}"),
        ("{[2] = 'b', [1] = 'a'}", "[\n  a,\n  b\n]"),
        ("{[0] = 'a'}", "{\n  0: a\n}"),
        ("{a = {b = {}, c = {1}}}", "{\n  a: {\n    b: {},\n    c: [\n      1\n    ]\n  }\n}"),
        ("{f = print, n = json.null}", "{\n  f: function,\n  n: null\n}"),
    ],
)
def test_values_have_one_readable_format(evaluate: Evaluate, value: str, text: str) -> None:
    """Scalars look as in Lua, tables are indented with two spaces, and nothing shows an address."""
    assert evaluate(f"return tostring({value})") == text


def test_keys_are_sorted_numbers_first(evaluate: Evaluate) -> None:
    """The same table always prints the same."""
    keys = "[10] = 1, [9] = 1, [-1.5] = 1, b = 1, B = 1, ['10'] = 1, [true] = 1, [print] = 1"
    expected = ["-1.5", "9", "10", "10", "B", "b", "function", "true"]
    lines = str(evaluate(f"return tostring({{{keys}}})")).split("\n")[1:-1]
    assert [line.strip().partition(":")[0] for line in lines] == expected


def test_only_a_real_cycle_is_circular(evaluate: Evaluate) -> None:
    """A table beside itself prints twice; one inside itself prints as a word."""
    assert (
        evaluate("local t = {1} return tostring({t, t})")
        == "[\n  [\n    1\n  ],\n  [\n    1\n  ]\n]"
    )
    assert evaluate("local t = {} t.t = t return tostring(t)") == "{\n  t: <circular>\n}"


def test_a_tostring_metamethod_decides(evaluate: Evaluate) -> None:
    """At the top and inside of other tables."""
    code = """
        local t = setmetatable({}, {__tostring = function() return "me" end, __name = "Never"})
        return {tostring(t), tostring({t}), tostring(setmetatable({}, {__name = "Never"}))}
    """
    assert evaluate(code) == ["me", "[\n  me\n]", "{}"]


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("function() return 5 end", "'__tostring' must return a string"),
        ("function() end", "'__tostring' must return a string"),
        ("function() error('own error', 0) end", "own error"),
    ],
)
def test_a_tostring_metamethod_may_fail(evaluate: Evaluate, method: str, problem: str) -> None:
    """Its error is the script's, and what it returns must be a string as in Lua."""
    code = f"""
        local ok, problem = pcall(tostring, setmetatable({{}}, {{__tostring = {method}}}))
        return {{ok, tostring(problem)}}
    """
    answer = evaluate(code)
    assert isinstance(answer, list)
    assert answer[0] is False
    assert str(answer[1]).endswith(problem)


def test_a_pairs_metamethod_tells_the_entries(evaluate: Evaluate) -> None:
    """A table that stands for other entries prints those; __index and __len are not asked."""
    code = """
        local function entries() return next, {"a", "b"} end
        local function fail() error("called") end
        return tostring(setmetatable({x = 1}, {__pairs = entries, __index = fail, __len = fail}))
    """
    assert evaluate(code) == "[\n  a,\n  b\n]"


def test_deep_tables_are_cut(evaluate: Evaluate) -> None:
    """A table of 10,000 levels prints 200 of them, and no stack overflows."""
    text = evaluate("local t = 1 for i = 1, 10000 do t = {t} end return tostring(t)")
    assert str(text).count("<too deep>") == 1
    assert str(text).count("[") == 201


def test_many_entries_keep_their_order(evaluate: Evaluate) -> None:
    """The pieces of a long text are joined in parts, which must not be mixed up."""
    text = evaluate("local t = {} for i = 1, 3000 do t[i] = i end return tostring(t)")
    assert text == "[\n" + ",\n".join(f"  {i}" for i in range(1, 3001)) + "\n]"


def test_a_table_that_doubles_forty_times_meets_the_memory_limit(
    run: Callable[..., Result],
) -> None:
    """2^40 lines are not printed for hours: the memory ends first."""
    outcome = run("local t = {} for i = 1, 40 do t = {t, t} end return tostring(t)")
    assert outcome.error_info is not None
    assert outcome.error_info.code == "memory_limit"


def test_print_and_dump_use_the_same_format(run: Callable[..., Result]) -> None:
    """Print separates values with tabs; dump prints one and returns it."""
    outcome = run("print({1}, 'a', nil) return dump({a = 1})")
    assert outcome.result == {"a": 1}
    assert outcome.output == "[\n  1\n]\ta\tnil\n{\n  a: 1\n}"
