"""Write docs/reference from the declarations: integrations, errors, the schema of the envelope.

`make docs` writes the files; with --check the script only says which of them are not current.
"""

import json
import re
import sys
import types
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from kosmo_lua import Kosmo, Result
from kosmo_lua.catalog import GROUP
from kosmo_lua.integration import Integration
from kosmo_lua.reference import Reference
from kosmo_lua.results import Meta
from kosmo_lua.values import JsonObject

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py; `make docs` writes it again. -->\n\n"


def main() -> None:
    """Write every file that is not current, or with --check only name it and fail."""
    stale = {path: text for path, text in files().items() if _read(path) != text}
    if "--check" in sys.argv[1:]:
        sys.exit("\n".join(f"{path} is not current: run `make docs`" for path in stale) or 0)
    FOLDER.mkdir(exist_ok=True)
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        print(path)


def files() -> dict[Path, str]:
    """Return every generated file and its text."""
    own = _own_integrations()
    reference = Kosmo(integrations=own, environ={}).reference
    pages = {f"{each.name}.md": NOTE + "".join(_pages(reference, each)) for each in own}
    pages["errors.md"] = NOTE + reference.read("errors")
    pages["envelope.schema.json"] = json.dumps(envelope_schema(), indent=2) + "\n"
    return {FOLDER / name: text for name, text in pages.items()}


def envelope_schema() -> JsonObject:
    """Return the JSON Schema of what `--json` prints, made from the fields of `Result`."""
    schema = _closed_model(Result).model_json_schema()
    for record in (schema, *schema["$defs"].values()):
        record.pop("title")
        for field in record["properties"].values():
            field.pop("title", None)
    order = Result(success=True, meta=Meta("")).to_dict()
    schema["properties"] = {name: schema["properties"][name] for name in order}
    schema["required"] = [*order]
    title = {"title": "The envelope: what `kosmo integrations:lua --json` prints."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **title, **schema}


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


def _closed_model(record: type) -> type[BaseModel]:
    """Return a model of a record's JSON object: every field is there, and no other."""
    hints = get_type_hints(record, localns={"Json": Any})
    fields: dict[str, Any] = {name: (_without_records(hint), ...) for name, hint in hints.items()}
    config = ConfigDict(extra="forbid")
    return create_model(record.__name__, __config__=config, __doc__=record.__doc__, **fields)


def _without_records(hint: Any) -> Any:  # noqa: ANN401  # a type hint
    """Return the hint with each record in it replaced by its model, and each tuple by a list."""
    if hasattr(hint, "_fields"):
        return _closed_model(hint)
    inside = tuple(_without_records(each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return list[inside[0]]  # type: ignore[valid-type]  # a hint made at run time
    if get_origin(hint) in (types.UnionType, Union):
        return Union[inside]  # noqa: UP007  # the same
    return hint


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    main()
