"""What crosses between Lua and the host, and how: each row of the table in docs/lua.md, in both directions.

A value crosses in the arguments of a call, in its answer, in json.encode and json.decode, and as the result
of the run. What json.encode and json.decode alone promise is in test_lua_json.py.
"""

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest
from conftest import ScriptFailed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kosmo_lua import Kosmo, Limits
from kosmo_lua.integration import Api, Credentials, Field, Integration, Json, Object, Params

Mirror = Callable[[str], Json]

mirror = Integration(
    "mirror",
    title="Mirror",
    summary="Returns what it gets; it needs no service.",
    credentials=Credentials,
    api=Api[Credentials],
)


class Kept(Params):
    """What `mirror.keep` takes."""

    value: Any = Field(None, description="Anything.")
    traits: Object | None = Field(None, description="An object.")


seen: list[Kept] = []
"""What the last call of `mirror.keep` got."""

given_back: list[Any] = []
"""What `mirror.answer` answers."""


@mirror.read()
def keep(api: Api[Credentials], kept: Kept) -> Json:
    """Return the value.

    Returns: the value.
    """
    del api
    seen[:] = [kept]
    value: Json = kept.value
    return value


@mirror.read()
def answer(api: Api[Credentials]) -> Json:
    """Return what a service would have said.

    Returns: anything.
    """
    del api
    value: Json = given_back[0]
    return value


def run(code: str, **limits: Any) -> Json:
    """Run Lua with `keep`, `answer` and `decode` at hand; a failure is raised as ScriptFailed."""
    names = "local keep, answer = app.integrations.mirror.keep, app.integrations.mirror.answer "
    result = Kosmo(environ={}, integrations=[mirror], limits=Limits(**limits)).run(names + code)
    if not result.success:
        raise ScriptFailed(result)
    return result.result


def to_host(lua: str) -> Json:
    """Return what the host gets for a Lua value in the arguments of a call."""
    run(f"keep{{value = {lua}}}")
    value: Json = seen[0].value
    return value


def from_host(value: Any, lua: str) -> Json:
    """Give Lua a value as the answer of a call, and return what `lua` says of it, as `value`."""
    given_back[:] = [value]
    return run(f"local value = answer() {lua}")


def exact(value: Json) -> str:
    """Tell 1 from 1.0 and from True, and -0.0 from 0.0."""
    return json.dumps(value, sort_keys=True)


CROSSING: list[tuple[str, Json]] = [
    ("true", True),
    ("false", False),
    ("math.maxinteger", 2**63 - 1),
    ("math.mininteger", -(2**63)),
    ("2^53", 2**53),
    ("-2^53", -(2**53)),
    ("9007199254740993", 2**53 + 1),
    ("2147483648", 2**31),
    ("-2147483649", -(2**31) - 1),
    ("0.1", 0.1),
    ("1/3", 1 / 3),
    ("5e-324", 5e-324),
    ("1.7976931348623157e308", 1.7976931348623157e308),
    ("2^53 + 2", float(2**53 + 2)),
    ("2^63", float(2**63)),
    ("10 / 2", 5),
    ("-0.0", 0),
    ("''", ""),
    ("'a\\0b'", "a\0b"),
    ("'\\u{1F600} é \\u{2028}'", "\U0001f600 é \u2028"),
    ("{}", []),
    ("json.object()", {}),
    ("{json.object(), {}}", [{}, []]),
    ("{1, nil, 3}", [1, None, 3]),
    ("{1, json.null}", [1, None]),
    ("{[3] = 'c'}", {"3": "c"}),
    ("{1, 2, x = 3}", {"1": 1, "2": 2, "x": 3}),
    ("{[1.5] = 'a', [-1] = 'b'}", {"1.5": "a", "-1": "b"}),
    ("{a = json.null, b = {c = json.null}}", {"a": None, "b": {"c": None}}),
    (
        "setmetatable({1}, {__index = function() return 9 end, __len = function() return 9 end})",
        [1],
    ),
    (
        "setmetatable({}, {__pairs = function() return next, {a = 1} end})",
        {"a": 1},
    ),
    ("(function() local s = {1} return {s, s, x = s} end)()", {"1": [1], "2": [1], "x": [1]}),
]
"""Lua, and what it is to the host, in JSON and in the result."""


@pytest.mark.parametrize(("lua", "value"), CROSSING)
def test_lua_values_reach_the_host_unchanged(lua: str, value: Json) -> None:
    """Arguments, json.encode and the result agree on what a Lua value is."""
    assert exact(to_host(lua)) == exact(value)
    assert exact(json.loads(str(run(f"return json.encode({lua})")))) == exact(value)
    assert exact(run(f"return {{{lua}}}")) == exact([value])


ANSWERED: list[tuple[Json, str]] = [
    (None, "value == nil"),
    (True, "value == true"),
    (False, "value == false"),
    (2**63 - 1, "value == math.maxinteger and math.type(value) == 'integer'"),
    (-(2**63), "value == math.mininteger and math.type(value) == 'integer'"),
    (2**53 + 1, "value == 9007199254740993"),
    (2**31, "value == 2147483648 and math.type(value) == 'integer'"),
    (-(2**40), "value == -1099511627776 and math.type(value) == 'integer'"),
    (2**59 + 2**44 + 7, "value == 576478344489467911 and math.type(value) == 'integer'"),
    (-(2**60) - 1, "value == -1152921504606846977 and math.type(value) == 'integer'"),
    (2**63, "value == '9223372036854775808'"),
    (-(2**63) - 1, "value == '-9223372036854775809'"),
    (10**30, "value == '1' .. ('0'):rep(30)"),
    (1.0, "value == 1 and math.type(value) == 'float'"),
    (-0.0, "1 / value == -1 / 0"),
    (0.1, "value == 0.1"),
    ("", "value == ''"),
    ("a\0b", "value == 'a\\0b'"),
    ("\U0001f600é", "value == '\\u{1F600}é'"),
    ("x" * 100_000, "#value == 100000"),
    ([], "next(value) == nil and json.encode(value) == '[]'"),
    ({}, "next(value) == nil and json.encode(value) == '{}'"),
    ([[], {}], "json.encode(value) == '[[],{}]'"),
    ([None, 1, None], "#value == 3 and value[1] == json.null and value[3] == json.null"),
    ({"a": None, "b": 1}, "value.a == nil and next(value) == 'b' and next(value, 'b') == nil"),
    ({"a": None}, "next(value) == nil and json.encode(value) == '{}'"),
    ({"1": "a", "": "b"}, "value['1'] == 'a' and value[1] == nil and value[''] == 'b'"),
    ({'a\0"\\\n\r]]': 1}, "value['a\\0\"\\\\\\n\\r]]'] == 1"),
]
"""What a service says, and what Lua then finds."""


@pytest.mark.parametrize(("value", "holds"), ANSWERED)
def test_answers_reach_lua_unchanged(value: Json, holds: str) -> None:
    """The answer of a call is the value that the service meant, with Lua's own types."""
    assert from_host(value, f"return {holds}") is True


@pytest.mark.parametrize(("value", "holds"), ANSWERED)
def test_columns_of_answers_are_the_same_values(value: Json, holds: str) -> None:
    """Rows that are alike cross as columns; nothing of it can be seen."""
    rows = [{"value": value, "n": n, "list": [value, n]} for n in range(50)]
    code = f"""
        for n, row in ipairs(value) do
          local value = row.value
          assert({holds} and row.n == n - 1 and #row.list == 2, n)
        end
        return #value
    """
    assert from_host(rows, code) == 50


ROWS: list[dict[str, Json]] = [{"a": n, "b": str(n)} for n in range(20)]


@pytest.mark.parametrize(
    "value",
    [
        [dict(reversed(row.items())) if n % 3 else row for n, row in enumerate(ROWS)],
        [*ROWS, {"a": 1, "c": "x"}],
        [*ROWS, {"a": 1}],
        [*ROWS, {"a": 1, "b": "x", "c": 2}],
        [*ROWS, {}],
        [{}, *ROWS],
        [*ROWS, "x"],
        ["x", *ROWS],
        [*"abcdefghijklmnop", 1],
        [*"abcdefghijklmnop", True, None],
        [[]] * 20,
        [[""]] * 20,
        [{"a": []}] * 20,
        [{"a": {"b": [[], [1]]}}] * 20,
    ],
    ids=range(14),
)
def test_what_is_not_quite_alike_is_the_same_values(value: Json) -> None:
    """Ours: other keys, another order of them, another kind of value, or nothing."""
    assert from_host(value, "return value") == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_cannot_hold_are_null_in_answers(value: float) -> None:
    """Python's parser lets NaN through; Lua gets null for it, as for any null."""
    assert from_host(
        [value, {"a": value}], "return {value[1] == json.null, next(value[2]) == nil}"
    )
    assert from_host([value] * 50, "return #value == 50 and value[50] == json.null") is True


def test_lone_surrogates_are_replaced_in_answers() -> None:
    """They are no Unicode text, and Lua's strings are to be UTF-8."""
    assert from_host(["a\ud800b", {"\udfff": 1}], "return value") == ["a\ufffdb", {"\ufffd": 1}]
    assert from_host(["a\ud800b", *["c"] * 50], "return {value[1], utf8.len(value[1])}") == [
        "a\ufffdb",
        3,
    ]


class Color(StrEnum):
    """A string that is more than a string."""

    RED = "red"


def test_what_python_takes_for_json_is_json_in_lua() -> None:
    """Tuples, enumerations, and keys that are numbers become what json.dumps makes of them."""
    value = {"color": Color.RED, "pair": (1, 2), 3: True}
    assert from_host(value, "return value") == {"color": "red", "pair": [1, 2], "3": True}


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, 1j, object()])
def test_answers_that_are_no_json_are_an_error(value: Any) -> None:
    """A defect of an integration is told, and leaves no object in Lua."""
    for answered in (value, [value], {"a": [value] * 50}):
        with pytest.raises(ScriptFailed) as failed:
            from_host(answered, "return value")
        assert failed.value.code in ("service_error", "internal")


def tower(levels: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


LUA_TOWER = "(function() local t = 1 for i = 1, {} do t = {{t}} end return t end)()"


def test_512_levels_cross() -> None:
    """Nesting is bounded by 512 levels; the arguments themselves are one of them."""
    assert to_host(LUA_TOWER.format(511)) == tower(511)
    depth = "local n = 0 while type(value) == 'table' do value, n = value[1], n + 1 end return n"
    assert from_host(tower(512), depth) == 512


@pytest.mark.parametrize("levels", [513, 900, 3000, 100_000])
def test_deeper_answers_are_an_error_that_can_be_caught(levels: int) -> None:
    """No depth of an answer crashes anything; the script goes on."""
    caught = "local ok, problem = pcall(answer) return {ok, problem.code, problem.effect}"
    given_back[:] = [tower(levels)]
    assert run(caught) == [False, "service_error", "unknown"]


REFUSED = [
    ("{score = 0/0}", "mirror.keep: traits.score is NaN"),
    ("{score = {1, 1/0}}", "mirror.keep: traits.score[2] is inf"),
    ("{score = -1/0}", "mirror.keep: traits.score is -inf"),
    ("{f = print}", "mirror.keep: traits.f is a function, which JSON cannot hold"),
    ("{c = coroutine.create(print)}", "mirror.keep: traits.c is a thread, which JSON cannot hold"),
    ("{s = '\\xff'}", "mirror.keep: traits.s is a string that is not valid UTF-8"),
    ("{['\\xff'] = 1}", 'mirror.keep: traits["\ufffd"] has a name that is not valid UTF-8'),
    ("{[0] = 1, ['0'] = 2}", 'mirror.keep: traits has a key collision: 0 and "0"'),
    (
        "(function() local t = {} t.t = {t} return t end)()",
        "mirror.keep: traits.t[1] refers back to traits",
    ),
]


@pytest.mark.parametrize(("lua", "problem"), REFUSED)
def test_arguments_that_json_cannot_hold_name_the_path(lua: str, problem: str) -> None:
    """Nothing is written as something else, and nothing is sent."""
    seen.clear()
    with pytest.raises(ScriptFailed) as failed:
        run(f"keep{{traits = {lua}}}")
    assert (failed.value.code, failed.value.message) == ("invalid_arguments", f"eval:1: {problem}")
    assert seen == []


def test_too_deep_arguments_name_the_path() -> None:
    """The path of 512 levels is cut in the middle."""
    with pytest.raises(ScriptFailed) as failed:
        run(f"keep{{value = {LUA_TOWER.format(512)}}}")
    assert failed.value.code == "invalid_arguments"
    assert "value[1][1]" in failed.value.message
    assert "deep" in failed.value.message


def test_empty_arguments_follow_the_schema() -> None:
    """The table of arguments is an object, and so is an empty one where the schema asks for an object."""
    run("keep{value = {}, traits = {}}")
    assert (seen[0].value, seen[0].traits) == ([], {})
    run("keep({})")
    assert (seen[0].value, seen[0].traits) == (None, None)


def test_null_as_a_parameter_is_absent() -> None:
    """Lua has no other way to leave one out in a table that is built."""
    assert to_host("json.null") is None
    run("keep{traits = json.null}")
    assert seen[0].traits is None


def test_an_answer_shares_nothing() -> None:
    """An object that the integration uses twice is two tables in Lua."""
    shared = {"a": [1]}
    code = "value[1].a[1] = 2 return {value[1], value[2], value[3] == value[4]}"
    answered = [shared, shared, *[shared["a"]] * 40]
    assert from_host(answered, code) == [{"a": [2]}, {"a": [1]}, False]


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("size", [15, 16, 999, 1000, 1001, 65_536, 65_537])
def test_lists_of_any_length_keep_their_order(size: int, levels: int) -> None:
    """Long lists cross in pieces, wherever they are; their ends meet."""
    value: Any = [*range(size)]
    for _ in range(levels - 1):
        value = {"list": [value, "end"]}
    code = """
        while value.list do assert(value.list[2] == "end") value = value.list[1] end
        for index = 1, #value do assert(value[index] == index - 1, index) end
        return #value
    """
    assert from_host(value, code) == size


def test_rows_of_rows_keep_their_order() -> None:
    """Objects in lists in objects, with fields that differ, are absent or are of several kinds."""
    rows: list[Any] = [
        {
            "id": n,
            "tags": ["x"] * (n % 3),
            "plan": {"name": "pro", "seats": n},
            "extra": {f"key{n % 5}": n} if n % 7 else None,
            "mixed": [n, str(n), n / 4, n % 2 == 0, None, [], {}][n % 7],
            "orders": [{"id": k, "lines": [k, None]} for k in range(n % 4)],
            "wide": {f"column {k}": k for k in range(120)},
        }
        for n in range(2500)
    ]
    assert from_host(rows, "return #value") == 2500
    kept = from_host(rows, "return {value[1], value[999], value[1000], value[1001], value[2500]}")
    assert isinstance(kept, list)
    picked = [rows[n] for n in (0, 998, 999, 1000, 2499)]
    absent = [{key: item for key, item in row.items() if item is not None} for row in picked]
    assert kept == absent


MILLION = "local t = {} for i = 1, 1000000 do t[i] = i end "


def test_a_million_integers_go_there_and_back() -> None:
    """At the default memory limit, while the script still holds its own table."""
    code = "local back = keep{value = t} for i = 1, 1000000, 999 do assert(back[i] == t[i]) end"
    assert run(f"{MILLION} {code} return {{#back, back[1000000], #t}}") == [1_000_000] * 3


def test_a_million_integers_are_a_result_and_a_text() -> None:
    """The text exists once as a string of Lua, beside the table."""
    result = run(f"{MILLION} return t")
    assert result == [*range(1, 1_000_001)]
    size = len(json.dumps(result, separators=(",", ":")))
    assert run(f"{MILLION} return #json.encode(t)") == size
    assert run(f"{MILLION} local s = json.encode(t) t = nil return #json.decode(s)") == 1_000_000


def test_an_answer_that_does_not_fit_ends_the_run() -> None:
    """The memory limit is Lua's alone, and it cannot be caught."""
    given_back[:] = [[*range(1_000_000)]]
    with pytest.raises(ScriptFailed) as failed:
        run("pcall(answer) return 'went on'", memory=4 << 20)
    assert failed.value.code == "memory_limit"


def test_hundreds_of_arguments_and_results_cross() -> None:
    """Several results are a list with its holes; positions beyond the parameters are told."""
    assert run("return table.unpack({1, nil, 3}, 1, 300)") == [1, None, 3, *[None] * 297]
    with pytest.raises(ScriptFailed) as failed:
        run("keep(table.unpack({}, 1, 300))")
    assert failed.value.code == "invalid_arguments"
    assert (
        failed.value.message
        == "eval:1: mirror.keep: it takes 2 arguments (value, traits), got 300"
    )


@pytest.mark.parametrize("use", ["keep(table.unpack(t))", "return table.unpack(t)"])
def test_more_arguments_than_lua_can_pass_are_an_error(use: str) -> None:
    """Beyond the stack of Lua there is an error and no crash."""
    with pytest.raises(ScriptFailed) as failed:
        run(f"local t = {{}} for i = 1, 1000000 do t[i] = i end {use}")
    assert failed.value.code in ("script_error", "memory_limit")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        # Alike rows, which cross as columns.
        | st.tuples(st.sampled_from([16, 20]), st.dictionaries(st.text(), inner, min_size=1)).map(
            lambda pair: [dict(pair[1]) for _ in range(pair[0])]
        )
    ),
    max_leaves=12,
)
bounded = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def without_nulls(value: Json) -> Json:
    """Leave out the fields that are null, which Lua cannot hold."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [*map(without_nulls, value)] if isinstance(value, list) else value


def as_lua_writes(value: Json) -> Json:
    """Write a float with a whole value up to 2^53 as a whole number, as Lua does."""
    if isinstance(value, dict):
        return {key: as_lua_writes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [*map(as_lua_writes, value)]
    whole = isinstance(value, float) and value.is_integer() and abs(value) <= 2**53
    return int(value) if whole and isinstance(value, float) else value


@bounded
@given(value=VALUES)
def test_any_answer_comes_back_as_argument(value: Json) -> None:
    """From the host to Lua and back to the host it is the same value, but for fields that are null."""
    given_back[:] = [value]
    run("keep{value = answer()}")
    expected = as_lua_writes(without_nulls(value))
    assert exact(seen[0].value) == exact(expected)


@bounded
@given(value=VALUES)
def test_any_answer_is_what_its_json_decodes_to(value: Json) -> None:
    """The two ways into Lua, from a service and from a text, give the same."""
    given_back[:] = [[value, json.dumps(value, ensure_ascii=False)]]
    code = "local pair = answer() local text = json.encode(pair[1], {sort = true}) "
    again = run(f"{code} return {{text, json.encode(json.decode(pair[2]), {{sort = true}})}}")
    assert isinstance(again, list)
    expected = again[1] if value is not None else "null"
    assert again[0] == expected


PEER = """
local cjson = require "cjson"
cjson.encode_sparse_array(true)
io.write(cjson.encode(cjson.decode(io.read("a"))))
"""
"""Empty tables are left out of the comparison: lua-cjson makes objects of all of them."""


def _has_cjson() -> bool:
    lua = shutil.which("lua5.4")
    if lua is None:
        return False
    command = [lua, "-e", 'require "cjson"']
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603  # the peer


@pytest.mark.skipif(
    not _has_cjson(), reason="a second opinion, where Debian's lua5.4 and lua-cjson are installed"
)
@settings(max_examples=40, deadline=None)
@given(
    items=st.lists(
        st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(), min_size=1
    )
)
def test_lua_cjson_has_the_same_opinion(items: list[Json]) -> None:
    """Debian's lua-cjson reads what json.encode writes, and writes what json.decode reads."""
    document: Json = {"list": items, "nested": [{"name": items}]}
    given_back[:] = [document]
    written = str(run("return json.encode(answer())"))
    command = ["lua5.4", "-e", PEER]
    peer = subprocess.run(command, input=written.encode(), capture_output=True, check=True)  # noqa: S603  # the peer
    assert json.loads(peer.stdout) == document
    given_back[:] = [peer.stdout.decode()]
    assert run("return json.decode(answer())") == document
