"""Checks arguments against a pydantic model and says, in one sentence, all that is wrong with them."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, from_json

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.lua_source import lua_literal
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import Json, JsonObject

Model = TypeVar("Model", bound=BaseModel)

Assign = Callable[[str, Json], str]
"""Writes an argument, of its name and its value, as whoever is told writes it."""

_Schema = dict[str, Any]
"""A core schema of pydantic: https://docs.pydantic.dev/latest/api/pydantic_core_schema/"""

_FINITE = frozenset({str, int, bool, type(None)})

_ALIKE = {
    *("none", "bool", "int", "float", "str", "nullable", "default", "definitions"),
    *("model", "model-fields", "model-field", "function-after", "no-info"),
}
"""Types of pydantic that take the same of JSON as of Python's values, where they are set up as usual."""

_USUAL = {"title", "strict", "extra_fields_behavior", "validate_by_name"}
"""Settings of a model that are no reason to look closer."""

_UNUSUAL = {"coerce_numbers_to_str", "extras_schema", "validate_default"}
"""Settings of a type that are one."""

LONGEST = 40
"""So much of a wrong string or name is shown."""

_KINDS = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "dict_type": "a table with named fields",
    "list_type": "a list",
}
"""What a pydantic error type asks for, in the words of a Lua author."""


_assign: "ContextVar[Assign]" = ContextVar(
    "assign", default=lambda name, value: f"{name} = {lua_literal(value)}"
)


@contextmanager
def assigned(assign: "Assign") -> Iterator[None]:
    """Let sentences write an argument in another way than a script does."""
    token = _assign.set(assign)
    try:
        yield
    finally:
        _assign.reset(token)


def check(model: type[Model], arguments: JsonObject) -> Model:
    """Return the arguments as an instance of `model`.

    Raises:
        InvalidArguments: names every missing, misspelt, wrongly typed and surplus parameter, and a
            number that JSON cannot hold by its path; `details["problems"]` has one entry for each.
    """
    problems = []
    if not _is_finite(arguments):
        problems = [
            f"{path} is {value}, which JSON cannot hold" for path, value in _not_finite(arguments)
        ]
    problems += [
        f"{alias} is given twice, as {alias} and as {name}"
        for alias, name in _spelt_twice(model)
        if alias in arguments and name in arguments
    ]
    try:
        checked = model.model_validate(arguments)
    except ValidationError as error:
        problems += [
            _sentence(model, problem)
            for problem in error.errors(include_url=False)
            if not (
                problem["type"] == "extra_forbidden" and problem["loc"][0] in model.model_fields
            )
        ]
    if problems:
        raise InvalidArguments("; ".join(problems), details={"problems": [*problems]})
    return checked


def parser(model: type[Model]) -> Callable[[bytes], Model]:
    """Return what makes an instance of `model` of arguments that are JSON, as Lua writes it.

    It raises ValueError if something is wrong with them; `check` says what, and comes to the same.
    """
    validator = model.__pydantic_validator__
    if _takes_alike(cast("_Schema", model.__pydantic_core_schema__)):
        return validator.validate_json
    return lambda text: validator.validate_python(from_json(text))


def _takes_alike(schema: _Schema) -> bool:
    """Whether pydantic is known to take the same of JSON as of Python's values.

    Elsewhere it takes more, such as a text for a date, or does not reach what is inside.
    """
    called = schema.get("function", {"type": "no-info", "function": None})
    if called["function"] is empty_table_is_object:
        return True
    settings = {*schema.get("config", ())} - _USUAL | {*schema} & _UNUSUAL
    inner = [*schema.get("fields", {}).values(), *filter(None, [schema.get("schema")])]
    is_known = {schema["type"], called["type"]} <= _ALIKE and not settings
    return is_known and all(map(_takes_alike, inner))


def empty_table_is_object(value: object) -> object:
    """A Lua `{}` does not say what it is; where an object is asked for, it is one."""
    return {} if value == [] else value


def parameter_name(name: str, field: FieldInfo) -> str:
    """Return the name of a field as callers write it: its alias, where it has one."""
    return field.alias or name


def _sentence(model: type[BaseModel], problem: ErrorDetails) -> str:
    parameter, *inside = (str(part) for part in problem["loc"])
    path = ".".join([parameter, *inside])
    kind, value, example = problem["type"], problem["input"], _example(model, parameter)
    if kind.startswith("recursion"):  # its path has hundreds of names
        return f"{parameter} is nested too deep"
    if kind == "string_type" and isinstance(value, int | float) and not isinstance(value, bool):
        example = f" (write {_assign.get()(parameter, str(value))})"
    if kind == "missing":
        return f"{path} is required{example}"
    if kind == "extra_forbidden":
        return _unknown(model, parameter)
    if kind in _KINDS:
        return f"{path} must be {_KINDS[kind]}, got {describe(value)}{example}"
    if kind == "string_too_short":
        return f"{path} must not be empty{example}"
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{path} {message[:1].lower()}{message[1:]}, got {describe(value)}{example}"


def _unknown(model: type[BaseModel], name: str) -> str:
    known = [parameter_name(*item) for item in model.model_fields.items()]
    name = name if len(name) <= LONGEST else name[:LONGEST] + "..."  # comparing takes long, too
    near = nearest(name, known, most=1)
    if near:
        return f"unknown parameter {name}, did you mean {near[0]}?"
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    return f"unknown parameter {name} ({takes})"


def _example(model: type[BaseModel], parameter: str) -> str:
    for name, field in model.model_fields.items():
        if parameter in (name, field.alias) and field.examples:
            return f" (for example {_assign.get()(parameter, field.examples[0])})"
    return ""


@cache
def _spelt_twice(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Find parameters with two spellings; given under both, pydantic would drop one."""
    pairs = [(parameter_name(name, field), name) for name, field in model.model_fields.items()]
    return tuple((alias, name) for alias, name in pairs if alias != name)


def _is_finite(value: Json) -> bool:
    """Tell fast whether `_not_finite` has anything to find, which is rare."""
    pending = [value]
    for item in pending:  # it grows meanwhile
        if item.__class__ in _FINITE:
            continue
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, float) and not math.isfinite(item):
            return False
    return True


def _not_finite(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, "NaN" if math.isnan(value) else "infinite"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _not_finite(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from _not_finite(item, f"{path}[{index}]")


def describe(value: object) -> str:
    """Say what a wrong value is, short enough for a sentence."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the string "{value if len(value) <= LONGEST else value[:LONGEST] + "..."}"'
    return "a list" if isinstance(value, list) else "a table"
