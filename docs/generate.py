"""Write docs/reference from the declarations: integrations, errors, the schemas of the envelopes.

`make docs` writes the files; with --check the script only says which of them are not current.
"""

import json
import re
import sys
import types
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from kosmo_lua import Kosmo, Result, RunEvent
from kosmo_lua.answers import SHAPES, Answer
from kosmo_lua.catalog.installed import GROUP
from kosmo_lua.cli.trace import TracedCall
from kosmo_lua.integration import Integration
from kosmo_lua.reference import Reference
from kosmo_lua.results import CallResult, Meta

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; `make docs` writes it again. -->\n\n"


def main() -> None:
    """Write every file that is not current, or with --check only name it and fail."""
    stale = {path: text for path, text in files().items() if _read(path) != text}
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"{path} is not current: run `make docs`" for path in stale) or 0)
    for path, text in stale.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


def files() -> dict[Path, str]:
    """Return every generated file and its text."""
    own = _own_integrations()
    reference = Kosmo(integrations=own, environ={}).reference
    pages = {f"{each.name}.md": NOTE + "".join(_pages(reference, each)) for each in own}
    pages["errors.md"] = NOTE + reference.read("errors")
    pages["envelope.schema.json"] = _envelope("integrations:lua", Result)
    records: dict[str, type[Any]] = {"integrations:call": CallResult, **SHAPES}
    for command, record in records.items():
        name = command.removeprefix("integrations:").replace(":", "-")
        pages[f"envelopes/{name}.schema.json"] = _envelope(command, record)
    pages["envelopes/stream.schema.json"] = _stream()
    pages["envelopes/trace.schema.json"] = _document(
        "A line of what `kosmo integrations:lua --trace FILE` writes.",
        _closed_model(TracedCall).model_json_schema(),
    )
    return {FOLDER / name: text for name, text in pages.items()}


def _envelope(command: str, record: type[Any]) -> str:
    """Return the JSON Schema of what a command prints with `--json`, made from the fields of a record."""
    fields = _answer(record) if record in SHAPES.values() else _result(record)
    schema = _closed_model(record, fields).model_json_schema()
    return _document(f"The envelope: what `kosmo {command} --json` prints.", schema)


def _stream() -> str:
    """Return the JSON Schema of a line of `--output jsonl`: an event, or the envelope."""
    events = {each: _hints(each) for each in get_args(RunEvent)}
    kinds = {**events, Result: {"type": Literal["result"], **_result(Result)}}
    lines = tuple(
        _closed_model(record, {"type": fields["type"], **fields})
        for record, fields in kinds.items()
    )
    line = Annotated[Union[lines], Field(discriminator="type")]  # type: ignore[valid-type]  # noqa: UP007  # made at run time
    schema = TypeAdapter[Any](line).json_schema()
    return _document("A line of what `kosmo integrations:lua --output jsonl` prints.", schema)


def _document(title: str, schema: dict[str, Any]) -> str:
    """Return a JSON Schema as it is published: one title, and none for each field."""
    for each in (schema, *schema["$defs"].values()):
        each.pop("title", None)
        for field in each.get("properties", {}).values():
            field.pop("title", None)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps({**dialect, **schema}, indent=2) + "\n"


def _result(record: type[Any]) -> dict[str, Any]:
    """Return the fields of a Result or a CallResult, in the order in which they are printed."""
    return {name: _hints(record)[name] for name in record(success=True, meta=Meta("")).to_dict()}


def _answer(shape: type[Any]) -> dict[str, Any]:
    """Return the fields of an Answer about `shape`; its own are null when the command failed."""
    facts = {name: hint | None for name, hint in _hints(shape).items()}
    rest = {name: _hints(Answer)[name] for name in ("error", "error_info", "warnings")}
    return {"schema_version": int, "success": bool, **facts, **rest}


def _hints(record: type[Any]) -> dict[str, Any]:
    return get_type_hints(record, localns={"Json": Any})


def _own_integrations() -> list[Integration[Any]]:
    """Return the integrations that are developed here, whatever else is installed."""
    entries = distribution("kosmo-lua").entry_points.select(group=GROUP)
    return [entry.load() for entry in sorted(entries, key=lambda entry: entry.name)]


def _pages(reference: Reference, integration: Integration[Any]) -> Iterator[str]:
    yield reference.integration(integration)
    for function in integration.functions.values():
        yield "\n" + _one_level_down(reference.function(integration, function))


def _one_level_down(markdown: str) -> str:
    """Turn the headings of a page into those of a section of another page."""
    parts = markdown.split("```")
    parts[::2] = [re.sub(r"^#", "##", text, flags=re.MULTILINE) for text in parts[::2]]
    return "```".join(parts)


def _closed_model(record: type[Any], fields: dict[str, Any] | None = None) -> type[BaseModel]:
    """Return a model of a record's JSON object: every field is there, and no other."""
    hints = _hints(record) if fields is None else fields
    required: dict[str, Any] = {
        name: (_without_records(hint), ...) for name, hint in hints.items()
    }
    # A field `schema` would hide a method of the model.
    safe = {
        f"{name}_" if hasattr(BaseModel, name) else name: field for name, field in required.items()
    }
    config = ConfigDict(extra="forbid", alias_generator=lambda name: name.removesuffix("_"))
    return create_model(record.__name__, __config__=config, __doc__=record.__doc__, **safe)


def _without_records(hint: Any) -> Any:  # noqa: ANN401  # a type hint
    """Return the hint with each record in it replaced by its model, and each tuple by a list."""
    if hasattr(hint, "_fields"):
        return _closed_model(hint)
    inside = tuple(_without_records(each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return list[inside[0]]  # type: ignore[valid-type]  # a hint made at run time
    if get_origin(hint) is dict:
        return dict[str, inside[1]]  # type: ignore[valid-type]  # the same
    if get_origin(hint) in (types.UnionType, Union):
        return Union[inside]  # noqa: UP007  # the same
    return hint


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    main()
