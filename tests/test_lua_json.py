"""JSON as scripts see it: json.encode, json.decode, json.null, json.object, json.array, and results."""

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kosmo_lua import Result
from kosmo_lua.values import Json

Evaluate = Callable[[str], Json]

INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | INTEGERS | FLOATS | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)

many_examples = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # a run shares nothing with another
)


def quoted(text: str) -> str:
    """A Lua string literal of the UTF-8 bytes of a text."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def problem_of(evaluate: Evaluate, expression: str) -> str:
    """The message that an expression raises."""
    code = f"local ok, problem = pcall(function() return {expression} end) return {{ok, tostring(problem)}}"
    answer = evaluate(code)
    assert isinstance(answer, list)
    ok, problem = answer
    assert not ok
    assert isinstance(problem, str)
    return problem


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nil", "null"),
        ("json.null", "null"),
        ("true", "true"),
        ("false", "false"),
        ("{}", "[]"),
        ("{1, 'a', true}", '[1,"a",true]'),
        ("{a = 1}", '{"a":1}'),
        ("{a = {b = {1}}}", '{"a":{"b":[1]}}'),
        ("{1, nil, 3}", "[1,null,3]"),
        ("{[2] = 1}", "[null,1]"),
        ("{[3] = 1}", '{"3":1}'),
        ("{[1] = 1, [1000000] = 2}", '{"1":1,"1000000":2}'),
        ("{[0] = 1}", '{"0":1}'),
        ("{[1.5] = 1}", '{"1.5":1}'),
        ("{1, x = 2}", '{"1":1,"x":2}'),
        ("{json.null}", "[null]"),
        ("{json.object(), json.array()}", "[{},[]]"),
        ("json.object({1, 2, 3})", '{"1":1,"2":2,"3":3}'),
        ("json.array({1, nil, 3})", "[1,null,3]"),
    ],
)
def test_tables_are_arrays_or_objects_by_their_keys(
    evaluate: Evaluate, value: str, text: str
) -> None:
    """Holes may be half of an array; json.object and json.array decide where keys cannot."""
    assert evaluate(f"return json.encode({value}, {{sort = true}})") == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("math.maxinteger", "9223372036854775807"),
        ("math.mininteger", "-9223372036854775808"),
        ("2^53", "9007199254740992"),
        ("-2^53", "-9007199254740992"),
        ("10 / 2", "5"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
        ("1 / 3", "0.3333333333333333"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("5e-324", "4.94065645841247e-324"),
    ],
)
def test_numbers_are_written_exactly(evaluate: Evaluate, number: str, text: str) -> None:
    """Integers keep 64 bit, integral floats lose their point, other floats read back the same."""
    assert evaluate(f"return json.encode({number})") == text


def test_large_floats_stay_floats(evaluate: Evaluate) -> None:
    """2^63 is no 64 bit integer and must not become one."""
    assert evaluate("return {2^53, 2^63, 1e300, math.type(json.decode('1e3'))}") == [
        9007199254740992,
        9.223372036854776e18,
        1e300,
        "float",
    ]


def test_strings_escape_only_what_json_demands(evaluate: Evaluate) -> None:
    """Slashes, DEL, U+2028 and other Unicode stay as they are."""
    text = '"\\/\b\f\n\r\t\0\x1f\x7f é \u2028 😀'
    expected = '"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f é \u2028 😀"'
    assert evaluate(f"return json.encode({quoted(text)})") == expected


def test_long_strings_and_many_pieces_keep_their_order(evaluate: Evaluate) -> None:
    """The encoder joins its pieces in parts, which must not be mixed up."""
    code = """
        local t = {}
        for i = 1, 5000 do t[i] = i % 100 == 0 and string.rep("x", i) or i end
        return json.encode(t)
    """
    expected = [i if i % 100 else "x" * i for i in range(1, 5001)]
    assert evaluate(code) == json.dumps(expected, separators=(",", ":"))


def test_pretty_text_has_four_spaces_and_sorted_keys(evaluate: Evaluate) -> None:
    """The style is that of PHP, with empty tables on one line."""
    table = "{name = 'test', count = 42, e = {}, o = json.object(), l = {1, {a = 1}}}"
    value = {"count": 42, "e": [], "l": [1, {"a": 1}], "name": "test", "o": {}}
    assert evaluate(f"return json.encode({table}, {{pretty = true}})") == json.dumps(
        value, indent=4
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("0/0", "value is NaN"),
        ("{traits = {score = 0/0}}", "traits.score is NaN"),
        ("{traits = {items = {{}, {}, {x = 1/0}}}}", "traits.items[3].x is inf"),
        ("{traits = {['a b'] = -1/0}}", 'traits["a b"] is -inf'),
        ("{{[1] = print}}", "value[1][1] is a function, which JSON cannot hold"),
        ("{t = coroutine.create(print)}", "t is a thread, which JSON cannot hold"),
        ("{[{}] = 1}", "value: cannot use table as a key"),
        ("{a = {[true] = 1}}", "a: cannot use boolean as a key"),
        ("{[0] = 'a', ['0'] = 'b'}", 'value has a key collision: 0 and "0"'),
        ("{[1.5] = 'a', ['1.5'] = 'b'}", 'value has a key collision: 1.5 and "1.5"'),
        ("{s = '\\xff'}", "s is a string that is not valid UTF-8"),
        ("{s = '\\xed\\xa0\\x80'}", "s is a string that is not valid UTF-8"),
        ("{['\\xff'] = 1}", 'value["\ufffd"] has a name that is not valid UTF-8'),
        (
            "{a = json.array({x = 1})}",
            "a is marked with json.array, but its keys are not those of an array",
        ),
        ("{[string.rep('k', 50)] = 0/0}", f'value["{"k" * 40}..."] is NaN'),
        ("1, 5", "the options must be a table, got 5"),
        ("1, {prety = true}", "unknown option prety: it takes pretty, sort"),
        ("1, {pretty = 1}", "pretty must be true or false, got 1"),
    ],
)
def test_problems_name_the_place(evaluate: Evaluate, value: str, problem: str) -> None:
    """What JSON cannot hold is refused with the path to it, not written as something else."""
    assert problem_of(evaluate, f"json.encode({value})").endswith(f"json.encode: {problem}")


def test_cycles_are_refused_with_both_ends(evaluate: Evaluate) -> None:
    """A table that holds itself cannot be written; one that occurs twice can."""
    cycle = "(function() local t = {traits = {}} t.traits.self = {self = t.traits} return t end)()"
    problem = problem_of(evaluate, f"json.encode({cycle})")
    assert problem.endswith("traits.self.self refers back to traits")
    assert evaluate("local t = {1} return json.encode({t, t})") == "[[1],[1]]"


@pytest.mark.parametrize("levels", [1, 500, 512])
def test_512_levels_go_both_ways(evaluate: Evaluate, levels: int) -> None:
    """Nesting is bounded by 512 levels, and up to there it works."""
    text = "[" * levels + "]" * levels
    assert evaluate(f"return json.encode(json.decode('{text}'))") == text


@pytest.mark.parametrize("levels", [513, 10_000])
def test_deeper_nesting_is_refused(evaluate: Evaluate, levels: int) -> None:
    """Beyond 512 levels there is a clean error and no stack overflow."""
    tower = f"(function() local t = 1 for i = 1, {levels} do t = {{t}} end return t end)()"
    problem = problem_of(evaluate, f"json.encode({tower})")
    assert "value[1][1]" in problem
    assert "deep" in problem
    assert "deep" in problem_of(evaluate, f"json.decode(string.rep('[', {levels}))")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("{0/0, 1/0, -1/0}", ["nan", "inf", "-inf"]),
        ("{print, coroutine.create(print)}", ["function", "thread"]),
        ("'\\xffa\\xe2\\x82'", "\ufffda\ufffd\ufffd"),
        ("{['\\xff'] = 1}", {"\ufffd": 1}),
        ("{[true] = 1, [print] = 2}", {"true": 1, "function": 2}),
        ("{[0] = 'a', ['0'] = 'b'}", {"0": "b"}),
        ("(function() local t = {} t.t = t return t end)()", {"t": "<circular>"}),
    ],
)
def test_results_get_a_stand_in_and_a_warning(
    run: Callable[..., Result], value: str, result: Json
) -> None:
    """The last value of a script is always shown, with a sentence about what was changed."""
    outcome = run(f"return {value}")
    assert outcome.success
    assert outcome.result == result
    assert len(outcome.warnings) > 0


def test_warnings_are_bounded(run: Callable[..., Result]) -> None:
    """A million NaNs are not a million warnings."""
    outcome = run("local t = {} for i = 1, 1000 do t[i] = 0/0 end return t")
    assert outcome.result == ["nan"] * 1000
    assert len(outcome.warnings) == 20


def test_a_result_that_is_too_deep_is_cut(evaluate: Evaluate) -> None:
    """The innermost levels of a result are replaced, not the whole of it."""
    value = evaluate("local t = 1 for i = 1, 600 do t = {t} end return t")
    for _ in range(512):
        assert isinstance(value, list)
        value = value[0]
    assert value == "<too deep>"


def test_null_is_one_value_that_cannot_change(evaluate: Evaluate) -> None:
    """json.null is compared with ==, printed as null, and cannot be written to or marked."""
    assert evaluate("return {json.decode('[null]')[1] == json.null, tostring(json.null)}") == [
        True,
        "null",
    ]
    assert "cannot be changed" in problem_of(evaluate, "(function() json.null.x = 1 end)()")
    assert "json.null" in problem_of(evaluate, "json.object(json.null)")
    assert evaluate("return {getmetatable(json.null), json.encode({json.null})}") == [
        False,
        "[null]",
    ]


@pytest.mark.parametrize("shape", ["object", "array"])
def test_marks_need_a_table(evaluate: Evaluate, shape: str) -> None:
    """json.object and json.array make a table from nothing and refuse anything else."""
    problem = problem_of(evaluate, f"json.{shape}(5)")
    assert problem.endswith(f"json.{shape}: expected a table, got a number")
    assert evaluate(f"local t = {{}} return json.{shape}(t) == t") is True


def test_decoded_tables_are_ordinary(evaluate: Evaluate) -> None:
    """A decoded table has no metatable, and what its emptiness meant is forgotten once it is filled."""
    assert evaluate("return getmetatable(json.decode('{}')) == nil") is True
    assert evaluate("local t = json.decode('[]') t.x = 1 return json.encode(t)") == '{"x":1}'
    assert evaluate("local t = json.decode('{}') t[1] = 'a' return json.encode(t)") == '["a"]'


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "[[],{}]",
        '{"a":[],"b":{}}',
        '{"1":"a","2":"b"}',
        "[1,null,3]",
        "[null]",
        '"\\u0000 é"',
    ],
)
def test_decoding_and_encoding_gives_the_same(evaluate: Evaluate, text: str) -> None:
    """Empty arrays and objects, and objects with keys like numbers, survive the way through Lua."""
    again = evaluate(f"return json.encode(json.decode({quoted(text)}), {{sort = true}})")
    assert json.loads(str(again)) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        " [ 1 , 2 ] ",
        "\t\n\r 1 ",
        '{ "a" : { "b" : [ true , false ] } }',
        '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00"',
        '"\\\\u0041 \\\\\\u0041"',
        '{"\\u0061\\n" : 1, "": 2}',
        "-0",
        "-0.0",
        "0.5",
        "1E5",
        "1e-5",
        "-1.5e+3",
        "9223372036854775807",
        "-9223372036854775808",
        '"\x7f\u2028"',
    ],
)
def test_valid_text_is_decoded_as_python_does(evaluate: Evaluate, text: str) -> None:
    """Everything that RFC 8259 allows is understood."""
    assert evaluate(f"return json.decode({quoted(text)})") == json.loads(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1, column 1: expected a value, but the text ends"),
        ("[1,]", 'line 1, column 4: expected a value, found "]"'),
        ("[1 2]", 'line 1, column 4: expected "," or "]", found "2"'),
        ('{"a" 1}', 'line 1, column 6: expected ":", found "1"'),
        ('{"a":1,}', 'line 1, column 8: expected a key in quotes, found "}"'),
        ("{a:1}", 'line 1, column 2: expected a key in quotes, found "a"'),
        ('{"a":1]', 'line 1, column 7: expected "," or "}", found "]"'),
        ("[1]\n\n x", 'line 3, column 2: expected nothing more, found "x"'),
        ('["é", x]', 'line 1, column 7: expected a value, found "x"'),
        ("01", "line 1, column 1: a number cannot start with a zero"),
        ("-01", "line 1, column 1: a number cannot start with a zero"),
        ("1.", 'line 1, column 1: expected a number, found "1."'),
        (".5", 'line 1, column 1: expected a value, found ".5"'),
        ("+1", 'line 1, column 1: expected a value, found "+1"'),
        ("1e", 'line 1, column 1: expected a number, found "1e"'),
        ("1.5.2", 'line 1, column 1: expected a number, found "1.5.2"'),
        ("-", 'line 1, column 1: expected a value, found "-"'),
        ("NaN", 'line 1, column 1: expected a value, found "NaN"'),
        ("nulls", 'line 1, column 1: expected a value, found "nulls"'),
        ("True", 'line 1, column 1: expected a value, found "True"'),
        ("[1] // no", 'line 1, column 5: expected nothing more, found "/"'),
        ("'a'", 'line 1, column 1: expected a value, found "\'"'),
        ('"a\nb"', "line 1, column 3: control character in a string"),
        ('"a', "line 1, column 3: expected the end of the string, but the text ends"),
        ('"\\x41"', "line 1, column 2: invalid escape in a string"),
        ('"\\u12g4"', "line 1, column 2: \\u needs four hexadecimal digits"),
        ('"\\ud83d"', "line 1, column 2: lone surrogate in a string"),
        ('"\\ude00"', "line 1, column 2: lone surrogate in a string"),
        ('"\\ud83d\\u0041"', "line 1, column 2: lone surrogate in a string"),
        ("\ufeff1", "line 1, column 1: the text starts with a byte order mark"),
        ('{"a": 1,\n "a": 2}', 'line 2, column 2: duplicate key "a"'),
        ('{"a": null, "a": 2}', 'line 1, column 13: duplicate key "a"'),
        ("\x0b1", 'line 1, column 1: expected a value, found "\\u000b"'),
    ],
)
def test_other_text_is_refused_with_its_place(evaluate: Evaluate, text: str, problem: str) -> None:
    """Errors say the line, the column in characters, and what was expected."""
    assert problem_of(evaluate, f"json.decode({quoted(text)})").endswith(f"json.decode: {problem}")


def test_invalid_utf8_is_refused(evaluate: Evaluate) -> None:
    """Bytes that are no UTF-8 are found wherever they stand."""
    problem = problem_of(evaluate, "json.decode('[\"\u00e9\\xff\"]')")
    assert problem.endswith("line 1, column 4: invalid UTF-8")


@pytest.mark.parametrize(
    "number", ["9223372036854775808", "-9223372036854775809", "1" * 5000, "1e999"]
)
def test_numbers_beyond_64_bit_are_refused_or_strings(evaluate: Evaluate, number: str) -> None:
    """A large number is never rounded; the error names the option that gives it as a string."""
    assert '{big = "string"}' in problem_of(evaluate, f"json.decode('{number}')")
    assert evaluate(f"return json.decode('[{number}]', {{big = 'string'}})") == [number]


def test_null_is_absent_unless_asked_for(evaluate: Evaluate) -> None:
    """In an object null is no field, in an array it keeps its place; {null = true} keeps it everywhere."""
    assert evaluate("return json.decode('null') == nil") is True
    assert evaluate("return json.decode('null', {null = true}) == json.null") is True
    assert evaluate("return next(json.decode('{\"a\": null}')) == nil") is True
    assert evaluate("return json.encode(json.decode('{\"a\": null}'))") == "{}"
    assert evaluate("return json.decode('{\"a\": null}', {null = true})") == {"a": None}
    assert evaluate("return #json.decode('[1, null, 3]')") == 3


def test_tables_are_read_raw(evaluate: Evaluate) -> None:
    """Neither __index nor __len nor __eq of a value is ever called."""
    code = """
        local calls = 0
        local function count() calls = calls + 1 return 1 end
        local hostile = {__index = count, __len = count, __eq = count, __newindex = count}
        local one, two = setmetatable({1, nil, 3}, hostile), setmetatable({a = 1}, hostile)
        local text = json.encode({one, two, one})
        return {text, calls}
    """
    assert evaluate(code) == ['[[1,null,3],{"a":1},[1,null,3]]', 0]


def test_pairs_metamethod_is_honoured_in_its_order(evaluate: Evaluate) -> None:
    """A table that stands for other entries is written as those."""
    code = """
        local function step(_, key)
          if not key then return "z", 1 elseif key == "z" then return "a", {2} end
        end
        return json.encode(setmetatable({hidden = 1}, {__pairs = function(t) return step, t end}))
    """
    assert evaluate(code) == '{"z":1,"a":[2]}'


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("function(_, k) if not k then return 'a', 1 end error('own error', 0) end", "own error"),
        (
            "function(_, k) if k ~= 'b' then return k and 'b' or 0/0, 1 end end",
            "cannot use NaN as a key",
        ),
    ],
)
def test_pairs_metamethod_may_fail(evaluate: Evaluate, step: str, problem: str) -> None:
    """The error of a script goes through untouched; what no table could hold is a problem."""
    table = f"setmetatable({{}}, {{__pairs = function(t) return {step}, t end}})"
    assert problem_of(evaluate, f"json.encode({table})").endswith(problem)


def test_replaced_string_functions_change_nothing(evaluate: Evaluate) -> None:
    """A script may spoil its string library; the codec has its own."""
    code = """
        for name in pairs(string) do string[name] = function() error("spoiled") end end
        return json.encode(json.decode('{"a":["b\\\\n",1.5]}'))
    """
    assert evaluate(code) == '{"a":["b\\n",1.5]}'


@many_examples
@given(value=VALUES)
def test_any_value_survives_decode_and_encode(evaluate: Evaluate, value: Json) -> None:
    """Python's json is the oracle for both directions."""
    text = json.dumps(value, ensure_ascii=False)
    again = evaluate(f"return json.encode(json.decode({quoted(text)}, {{null = true}}))")
    assert json.loads(str(again)) == value


@many_examples
@given(value=VALUES)
def test_any_value_survives_pretty_text(evaluate: Evaluate, value: Json) -> None:
    """Pretty text is the same value; decode reads spaces, line ends and ASCII escapes."""
    text = json.dumps(value, ensure_ascii=True, indent=1)
    again = evaluate(
        f"return json.encode(json.decode({quoted(text)}, {{null = true}}), {{pretty = true}})"
    )
    assert json.loads(str(again)) == value


def no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Refuse a key that comes twice, which Python takes."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python takes."""
    raise ValueError(name)


def fitting(digits: str) -> int:
    """Refuse what does not fit a Lua integer."""
    if not -(2**63) <= int(digits) < 2**63:
        raise ValueError
    return int(digits)


def finite(digits: str) -> float:
    """Refuse what is too large for a float."""
    if math.isinf(float(digits)):
        raise ValueError
    return float(digits)


def refused_by_python(text: str) -> bool:
    """Whether text is no JSON for Python, or nothing that Lua could hold exactly."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=no_duplicates,
            parse_constant=no_constant,
            parse_int=fitting,
            parse_float=finite,
        )
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate cannot be encoded
    except ValueError:
        return True
    return False


@many_examples
@given(
    value=VALUES,
    changes=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from(list('[]{}",:\\/ubn019.-+eE \n\tx\x01'))),
        min_size=1,
        max_size=3,
    ),
    cut=st.integers(0, 2),
)
def test_broken_text_is_refused_where_python_refuses_it(
    evaluate: Evaluate, value: Json, changes: list[tuple[int, str]], cut: int
) -> None:
    """One to three characters put into valid JSON, each in place of up to two others."""
    text = json.dumps(value)
    for position, character in changes:
        at = position % (len(text) + 1)
        text = text[:at] + character + text[at + cut :]
    accepted = evaluate(f"return (pcall(json.decode, {quoted(text)}))")
    assert accepted is not refused_by_python(text)
