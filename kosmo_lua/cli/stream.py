"""--output jsonl: one JSON object per line, as things happen; the last one is the result."""

import json
from typing import TYPE_CHECKING

from kosmo_lua.cli.output import Printer
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # an error of the command line has no events
    from collections.abc import Callable

    from kosmo_lua.answers import Answer
    from kosmo_lua.cli.trace import Trace
    from kosmo_lua.results import CallResult, Result
    from kosmo_lua.run_events import RunEvent


def streamed(printer: Printer, trace: "Trace | None") -> "Callable[[RunEvent], None]":
    """Return who prints a line for each event of a run, and traces it, too."""
    from kosmo_lua.run_events import to_dict  # noqa: PLC0415  # only for a stream

    def take(event: "RunEvent") -> None:
        if trace:
            trace.take(event)
        printer.print(_line(to_dict(event)))

    return take


def result_line(result: "Result | CallResult | Answer") -> str:
    """Return the last line: the envelope."""
    return _line({"type": "result", **result.to_dict()})


def _line(document: JsonObject) -> str:
    return json.dumps(document, ensure_ascii=False)
