"""Arguments against the JSON Schema of a tool, which a stranger has written."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from kosmo_lua.arguments import LONGEST, describe
from kosmo_lua.errors import ExtraMissing, InvalidArguments
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # jsonschema is an extra, and slow to import
    from jsonschema.exceptions import ValidationError

_MOST = 10
"""So many problems are told."""
_COUNTED = 1000
"""So many are looked for."""
_PARTS = 100
"""So many parts of a schema are looked at to tell a list from an object."""
_LONGEST_SENTENCE = 500
"""Characters of a problem: a schema may have a pattern of any length."""

_KINDS = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a table with named fields",
    "array": "a list",
    "null": "null",
}


class Schema:
    """The schema of a tool's parameters."""

    def __init__(self, schema: Any) -> None:  # noqa: ANN401  # what a server has sent
        self.json: JsonObject = schema if isinstance(schema, dict) else {}

    def check(self, arguments: JsonObject) -> JsonObject:
        """Return the arguments as the server wants them: Lua's `{}` is an object where one is asked for.

        Raises:
            InvalidArguments: they do not fit; `details["problems"]` has one entry for each problem.
            ExtraMissing: the extra `mcp` is not installed.
        """
        fitted = _fitted(arguments, self.json, self.json, 0)
        assert isinstance(fitted, dict), "it was one"
        problems = [*dict.fromkeys(_told(problem) for problem in self._problems(fitted))]
        if problems:
            more = [f"and {len(problems) - _MOST} more"] if len(problems) > _MOST else []
            sentence = "; ".join([*problems[:_MOST], *more])
            raise InvalidArguments(sentence, details={"problems": [*problems]})
        return fitted

    def _problems(self, arguments: JsonObject) -> "list[ValidationError]":
        try:
            from kosmo_lua.mcp import validation  # noqa: PLC0415  # jsonschema is an extra, and slow
        except ModuleNotFoundError as missing:
            message = (
                f"tools of MCP servers need the package {missing.name}, which is not installed"
            )
            raise ExtraMissing(message, hint='pip install "kosmo-lua[mcp]"') from None
        hint = "Tell the authors of the server."
        try:
            return [*islice(validation.problems(self.json, arguments), _COUNTED)]
        except validation.TooSlow:
            message = f"the schema of the tool takes longer than {validation.SECONDS:g} s to check"
            raise InvalidArguments(message, hint=hint) from None
        except Exception as error:  # noqa: BLE001  # the schema is the stranger's: a reference to nowhere, no pattern
            message = f"the schema of the tool cannot be used: {type(error).__name__}"
            raise InvalidArguments(message, hint=hint) from None


def _told(problem: "ValidationError") -> str:
    """Say what is wrong, without what would steer a terminal: names and patterns are a stranger's."""
    sentence = _sentence(problem)
    short = f"{sentence[:_LONGEST_SENTENCE]}..." if len(sentence) > _LONGEST_SENTENCE else sentence
    return "".join(c if c.isprintable() else " " for c in short)


def _sentence(problem: "ValidationError") -> str:
    path = _path(problem.absolute_path)
    asked, value = problem.validator_value, problem.instance
    if problem.validator == "required" and isinstance(asked, list) and isinstance(value, dict):
        missing = problem.message.partition("' is a required")[0].removeprefix("'")
        return f"{path}.{missing} is required" if path else f"{missing} is required"
    if problem.validator == "additionalProperties" and asked is False:
        return _unknown(path, value, problem.schema)
    if problem.validator == "type":
        kinds = asked if isinstance(asked, list) else [asked]
        wanted = " or ".join(_KINDS.get(str(kind), str(kind)) for kind in kinds)
        return f"{path or 'the arguments'} must be {wanted}, got {describe(value)}"
    if problem.validator == "enum" and isinstance(asked, list):
        known = ", ".join(str(each) for each in asked[:_MOST])
        return f"{path} must be one of {known}, got {describe(value)}"
    rule = (
        f"{problem.validator} {asked}"
        if isinstance(asked, int | float | str)
        else problem.validator
    )
    return f"{path or 'the arguments'} must fit {rule}, got {describe(value)}"


def _unknown(path: str, value: Any, schema: Any) -> str:  # noqa: ANN401  # a stranger's
    """Say which fields nobody knows, and which there are."""
    known = [*schema.get("properties", {})]
    unknown = [f"{path}.{name}" if path else name for name in value if name not in known]
    near = nearest(unknown[0].rpartition(".")[2][:LONGEST], known, most=1)
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    more = f"did you mean {near[0]}?" if near else f"({takes})"
    names = ", ".join(name if len(name) <= LONGEST else f"{name[:LONGEST]}..." for name in unknown)
    comma = ", " if near else " "
    return f"unknown parameter {names}{comma}{more}"


def _path(parts: Any) -> str:  # noqa: ANN401  # a deque of names and indices
    path = ""
    for part in parts:
        path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def _fitted(value: Json, schema: Any, root: JsonObject, depth: int) -> Json:  # noqa: ANN401  # a stranger's
    """Return a value with `{}` for each empty list that the schema wants to be an object."""
    if depth > 100 or not isinstance(schema, dict):  # noqa: PLR2004  # deeper than any real schema
        return value
    schema = _followed(schema, root)
    if value == []:
        return {} if _wants_object(schema, root) else value
    if isinstance(value, dict):
        known = schema.get("properties")
        others = schema.get("additionalProperties")
        return {
            name: _fitted(
                item,
                known.get(name, others) if isinstance(known, dict) else others,
                root,
                depth + 1,
            )
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_fitted(item, schema.get("items"), root, depth + 1) for item in value]
    return value


def _followed(schema: JsonObject, root: JsonObject) -> JsonObject:
    """Follow a reference inside the schema, such as `#/$defs/Filter`."""
    for _ in range(10):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        found: Json = root
        for part in reference[2:].split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return schema
        schema = found
    return schema


def _wants_object(schema: JsonObject, root: JsonObject) -> bool:
    """Whether an object fits the schema here, and a list does not."""
    kinds = {*_kinds(schema, root, set())}
    return "object" in kinds and "array" not in kinds


def _kinds(schema: Any, root: JsonObject, seen: set[int]) -> Iterator[str]:  # noqa: ANN401  # a stranger's
    """Yield the types that a schema names; each part is looked at once, however often it is referred to."""
    schema = _followed(schema, root) if isinstance(schema, dict) else None
    if schema is None or id(schema) in seen or len(seen) > _PARTS:
        return
    seen.add(id(schema))
    kind = schema.get("type")
    yield from (
        each for each in (kind if isinstance(kind, list) else [kind]) if isinstance(each, str)
    )
    if kind is None and ("properties" in schema or "required" in schema):
        yield "object"
    for word in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(word)
        for branch in branches if isinstance(branches, list) else ():
            yield from _kinds(branch, root, seen)
