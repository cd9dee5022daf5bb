"""What a command prints: the JSON envelope, or text for people."""

import sys
from typing import TYPE_CHECKING

from kosmo_lua.cli.output import write
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import Json

if TYPE_CHECKING:  # start-up
    from kosmo_lua.results import Result


class Report:
    """Prints the outcome of a command, as one JSON document or as text, and returns its exit status."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def result(self, result: "Result", source: bytes = b"") -> int:
        """Report a run. As text, what it printed was shown as it came."""
        if self._as_json:
            write(result.to_json())
        else:
            _show(result, source)
        return result.exit_status

    def failed(self, error: KosmoError) -> int:
        """Report a command that could not do its work."""
        from kosmo_lua.journal import Recorder, failed  # noqa: PLC0415  # only for errors

        return self.result(Recorder().result(failed(error)))


def _show(result: "Result", source: bytes) -> None:
    for warning in result.warnings:
        _say(f"warning: {warning}")
    if result.error_info:
        _say(f"error: {result.error}")
        _show_line(result.error_info.line, source)
        if result.error_info.hint:
            _say(f"hint: {result.error_info.hint}")
    elif result.result is not None:
        write(_text(result.result))


def _show_line(number: int | None, source: bytes) -> None:
    lines = source.decode("utf-8", "replace").splitlines()
    if number is None or not 0 < number <= len(lines):
        return
    line = lines[number - 1].rstrip().expandtabs(4)
    indent = len(line) - len(line.lstrip())
    _say(f"{number:5} | {line}")
    _say(f"{'':5} | {' ' * indent}^")


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    import json  # noqa: PLC0415  # the journal has loaded it; here only for a result

    return json.dumps(value, ensure_ascii=False, indent=2)


def _say(text: str) -> None:
    """Write lines for people to stderr."""
    shown = "\n".join(_printable(line.expandtabs(4)) for line in text.split("\n"))
    sys.stderr.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
    sys.stderr.buffer.flush()


def _printable(line: str) -> str:
    """Keep a script from moving the cursor of the terminal that shows its line or its error."""
    return "".join(char if char.isprintable() else "?" for char in line)
