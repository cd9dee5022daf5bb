"""The published JSON Schemas of the envelopes, and the check that a document is one of them."""

import json
from functools import cache
from typing import Any

from conftest import ROOT
from jsonschema import Draft202012Validator

REFERENCE = ROOT / "docs" / "reference"


@cache
def _schema(command: str) -> dict[str, Any]:
    name = command.removeprefix("integrations:").replace(":", "-")
    path = f"envelopes/{name}.schema.json" if name != "lua" else "envelope.schema.json"
    schema: dict[str, Any] = json.loads((REFERENCE / path).read_text(encoding="utf-8"))
    return schema


def assert_fits(command: str, document: Any) -> None:
    """Assert that a document has exactly the published fields of the command, in their order."""
    schema = _schema(command)
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(document)]
    assert problems == []
    assert [*document] == schema["required"]


def assert_line_fits(kind: str, line: Any) -> None:
    """Assert that a line of a `stream` or a `trace` has exactly the published fields, in their order."""
    schema = _schema(kind)
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(line)]
    assert problems == []
    if kind == "stream":
        name = schema["discriminator"]["mapping"][line["type"]].rpartition("/")[2]
        schema = schema["$defs"][name]
    assert [*line] == schema["required"]
