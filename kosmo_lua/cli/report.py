"""What a command prints: the JSON envelope, or text for people."""

import sys
from typing import TYPE_CHECKING

from kosmo_lua.cli.output import write
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import Json

if TYPE_CHECKING:  # start-up
    from kosmo_lua.cli.source import Source
    from kosmo_lua.results import ErrorInfo, Result


class Report:
    """Prints the outcome of a command, as one JSON document or as text, and returns its exit status."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def result(self, result: "Result", source: "Source | None" = None) -> int:
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


def _show(result: "Result", source: "Source | None") -> None:
    for warning in result.warnings:
        say(f"warning: {warning}")
    if result.error_info:
        say(f"error: {result.error}")
        _show_place(result.error_info, result.error or "", source)
        if result.error_info.hint:
            say(f"hint: {result.error_info.hint}")
    elif result.result is not None:
        write(_text(result.result))


def _show_place(info: "ErrorInfo", error: str, source: "Source | None") -> None:
    """Show the line with its neighbours, and how the script came there."""
    lines = source.lines(info.file) if source and info.file else []
    number = info.line or 0
    if not 0 < number <= len(lines):
        return
    for at in range(max(number - 1, 1), min(number + 1, len(lines)) + 1):
        line = lines[at - 1].rstrip().expandtabs(4)
        say(f"{at:5} | {line}".rstrip())
        if at == number:
            say(f"{'':5} | {' ' * _column(line, error)}^")
    title, *frames = (info.traceback or "").splitlines() or [""]
    if sum("[C]" not in frame for frame in frames) > 1:  # more than the line that was shown
        say("\n".join([title, *frames]).replace("\t", "  "))


def _column(line: str, error: str) -> int:
    """Where in the line the error is: at the last of the names that it quotes, else where the line begins."""
    import re  # noqa: PLC0415  # only for errors

    names = "|".join(re.findall(r"'(\w+)'", error))
    if names and (found := [*re.finditer(rf"\b({names})\b", line)]):
        return found[-1].start()
    return len(line) - len(line.lstrip())


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    import json  # noqa: PLC0415  # the journal has loaded it; here only for a result

    return json.dumps(value, ensure_ascii=False, indent=2)


def say(text: str) -> None:
    """Write lines for people to stderr."""
    shown = "\n".join(_printable(line.expandtabs(4)) for line in text.split("\n"))
    sys.stderr.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
    sys.stderr.buffer.flush()


def _printable(line: str) -> str:
    """Keep a script from moving the cursor of the terminal that shows its line or its error."""
    return "".join(char if char.isprintable() else "?" for char in line)
