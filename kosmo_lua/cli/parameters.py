"""The parameters of a function on a command line: flags made from its JSON Schema, and a JSON object.

Nothing is guessed. Where the schema takes a string, a text stays what it is, be it `00123`, `1e3` or `null`.
Elsewhere the text is JSON, taken when it is of a type that the schema takes; if not, it stays a text, and the
validation of the call says what is wrong, together with all else.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import cast

import click

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.strict_json import parse
from kosmo_lua.values import Json, JsonObject

_KINDS: dict[type, tuple[str, ...]] = {
    type(None): ("null",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    str: ("string",),
    list: ("array",),
    dict: ("object",),
}
"""The types of JSON Schema that a value of Python has."""

_WORDS = {"string": "TEXT", "integer": "INTEGER", "number": "NUMBER"}
_SPELLING = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_$.-]*")


class Parameter:
    """One parameter of a function."""

    def __init__(self, name: str, schema: JsonObject, definitions: JsonObject) -> None:
        self.name = name
        self._definitions = definitions
        self._schema = self._resolved(schema)
        self._kinds = self._kinds_of(self._schema)

    @property
    def is_list(self) -> bool:
        """Whether it may be given several times."""
        return "array" in self._kinds

    @property
    def is_switch(self) -> bool:
        """Whether the flag alone means true."""
        return self._kinds <= {"boolean", "null"} and "boolean" in self._kinds

    @property
    def choices(self) -> list[str]:
        """The values that it may have, where these are few."""
        values = self._schema.get("enum")
        if isinstance(values, list):
            return [str(value) for value in values]
        return ["true", "false"] if self.is_switch else []

    @property
    def metavar(self) -> str:
        """What its value is, for the help."""
        if self.choices:
            return f"[{'|'.join(self.choices)}]"
        words = {_WORDS.get(kind, "JSON") for kind in self._kinds - {"null"}}
        return words.pop() if len(words) == 1 else "TEXT" if "TEXT" in words else "JSON"

    def help(self, *, required: bool) -> str:
        """Return its description, whether it is required, and its default."""
        words = [str(self._schema.get("description", ""))]
        words += ["[required]"] if required else []
        if "default" in self._schema:
            words.append(f"[default: {json.dumps(self._schema['default'])}]")
        return " ".join(filter(None, words))

    def value(self, texts: Sequence[str]) -> Json:
        """Return the value that was given as these texts.

        Raises:
            InvalidArguments: a text is not UTF-8, or is no JSON where an object or a list is asked for.
        """
        if not self.is_list:
            return self._typed(texts[-1], self._kinds)
        if len(texts) == 1 and ("string" in self._kinds or texts[0].lstrip()[:1] == "["):
            return self._typed(texts[0], self._kinds)
        items = self._schema.get("items")
        kinds = self._kinds_of(self._resolved(items)) if isinstance(items, dict) else set[str]()
        return [self._typed(text, kinds) for text in texts]

    def _typed(self, text: str, kinds: set[str]) -> Json:
        if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            message = f"{self.name} is not valid UTF-8"
            raise InvalidArguments(message)
        if not kinds or "string" in kinds:
            return text
        try:
            value = parse(text)
        except ValueError as error:
            if {"object", "array"} & kinds and text.lstrip()[:1] in ("{", "["):
                message = f"{self.name} is not valid JSON: {error}"
                raise InvalidArguments(message) from None
            return text
        return value if kinds & {*_KINDS[type(value)]} else text

    def _resolved(self, schema: JsonObject) -> JsonObject:
        """Return the schema that a reference leads to, with what is said beside the reference."""
        parts = schema.get("allOf")
        if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], dict):
            schema = {**parts[0], **schema}
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        found = self._definitions.get(name)
        return {**found, **schema} if isinstance(found, dict) else schema

    def _kinds_of(self, schema: JsonObject) -> set[str]:
        """Return the types that a schema takes; none means any."""
        kinds = schema.get("type")
        if isinstance(kinds, str | list):
            return {kinds} if isinstance(kinds, str) else {str(kind) for kind in kinds}
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        if isinstance(values, list) and values:
            return {_KINDS[type(value)][0] for value in values}
        choices = schema.get("anyOf", schema.get("oneOf", []))
        each = [c for c in cast("Iterable[Json]", choices) if isinstance(c, dict)]
        found = [self._kinds_of(self._resolved(choice)) for choice in each]
        return set().union(*found) if all(found) else set()


class Flag(click.Option):
    """The option of a parameter, in the schema's spelling and in kebab-case."""

    def __init__(
        self, name: str, parameter: Parameter, spellings: list[str], *, required: bool
    ) -> None:
        optional = {"is_flag": False, "flag_value": "true"} if parameter.is_switch else {}
        super().__init__(
            [name, *spellings],
            multiple=parameter.is_list,
            type=str,
            metavar=parameter.metavar,
            shell_complete=lambda ctx, param, start: [  # noqa: ARG005  # click's signature
                choice for choice in parameter.choices if choice.startswith(start)
            ],
            help=parameter.help(required=required),
            **optional,  # type: ignore[arg-type]  # two of its arguments
        )
        self.parameter = parameter


def parameters_of(schema: JsonObject) -> dict[str, Parameter]:
    """Return the parameters of a function."""
    fields, definitions = schema.get("properties"), schema.get("$defs")
    known = definitions if isinstance(definitions, dict) else {}
    found = fields.items() if isinstance(fields, dict) else ()
    return {n: Parameter(n, f if isinstance(f, dict) else {}, known) for n, f in found}


def flags_of(parameters: Iterable[Parameter], required: Json, taken: Iterable[str]) -> list[Flag]:
    """Return the flags; a spelling in `taken`, or of another parameter, is left out."""
    found = [p for p in parameters if _SPELLING.fullmatch(p.name)]
    used = {*taken}
    own = {p.name: [f"--{p.name}"] for p in found if f"--{p.name}" not in used}
    used |= {f"--{p.name}" for p in found}
    for name, spellings in own.items():
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        more = {f"--{snake.replace('_', '-')}", f"--{snake}"} - used
        used |= more
        spellings.extend(sorted(more))
    needed = required if isinstance(required, list) else []
    return [
        Flag(f"parameter_{at}", p, own[p.name], required=p.name in needed)
        for at, p in enumerate(found)
        if p.name in own
    ]
