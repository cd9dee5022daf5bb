"""Schemas of tools that a hostile server has written: a check ends, and steers no terminal."""

from time import monotonic
from typing import Any

import pytest

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.mcp.schema import Schema

DOUBLED = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
WIDE = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 20} for n in range(40)}
TRAP = "^(a|aa)+$"


def refusal(schema: dict[str, Any], arguments: dict[str, Any]) -> str:
    """Return why arguments are refused."""
    with pytest.raises(InvalidArguments) as caught:
        Schema(schema).check(arguments)
    return caught.value.message


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"v": {"pattern": TRAP}}},
        {"propertyNames": {"pattern": TRAP}},
        {"patternProperties": {TRAP: {}}},
        {"patternProperties": {TRAP: {}}, "additionalProperties": False},
        {"patternProperties": {TRAP: {}}, "unevaluatedProperties": False, "required": ["no"]},
        {
            "properties": {"v": {"$ref": "#/$defs/a0"}},
            "$defs": {**DOUBLED, "a40": {"type": "string"}},
        },
        {
            "properties": {"v": {"$ref": "#/$defs/a0"}},
            "$defs": {**WIDE, "a40": {"type": "object"}},
        },
    ],
)
def test_a_trap_costs_a_second(schema: dict[str, Any]) -> None:
    """Python's own patterns would hold every thread of the process for ever."""
    trapped = "a" * 60 + "!"
    begin = monotonic()
    assert refusal(schema, {"v": trapped, trapped: 1}) == (
        "the schema of the tool takes longer than 1 s to check"
    )
    assert monotonic() - begin < 5


def test_list_or_object_is_told_from_a_schema_that_branches_without_end() -> None:
    """Twenty branches on each of forty levels are looked at once each."""
    defs = {**WIDE, "a40": {"type": ["object", {}]}}
    schema = {"properties": {"v": {"$ref": "#/$defs/a0"}}, "$defs": defs}
    assert Schema(schema).check({"v": []}) == {"v": {}}


def test_names_of_fields_are_checked_as_ever() -> None:
    """Patterns of names, and what is none of them."""
    schema = {
        "properties": {"id": {"type": "integer"}},
        "patternProperties": {"^x-": {"type": "string"}},
        "additionalProperties": False,
    }
    assert Schema(schema).check({"id": 1, "x-a": "b"}) == {"id": 1, "x-a": "b"}
    assert refusal(schema, {"x-a": 1}) == "x-a must be a string, got the number 1"
    assert refusal(schema, {"y": 1}) == "unknown parameter y (it takes id)"
    numbers = {"additionalProperties": {"type": "integer"}}
    assert refusal(numbers, {"y": "z"}) == 'y must be a whole number, got the string "z"'
    assert refusal({"properties": {"v": {"pattern": "^b"}}}, {"v": "a"}) == (
        'v must fit pattern ^b, got the string "a"'
    )


def test_a_problem_is_one_short_line_without_commands_to_a_terminal() -> None:
    """The name of a parameter, or a pattern, is the stranger's."""
    named = {"properties": {"\x1b[31m\nred": {"type": "string"}}}
    assert refusal(named, {"\x1b[31m\nred": 1}) == " [31m red must be a string, got the number 1"
    long = {"properties": {"v": {"pattern": "b" * 100_000}}}
    assert len(refusal(long, {"v": "a"})) < 600
