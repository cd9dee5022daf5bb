"""What a command prints: the JSON envelope, or text for people."""

import os
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.cli.output import write
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import Json

if TYPE_CHECKING:  # start-up
    from collections.abc import Callable, Sequence

    from kosmo_lua.answers import Answer
    from kosmo_lua.cli.source import Source
    from kosmo_lua.results import CallResult, ErrorInfo, PlannedCall, Result

STYLES = ("text", "json", "jsonl")
_WIDTH = 100
"""So many characters of a line of source are shown."""

Command = TypeVar("Command", bound="Callable[..., Any]")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document: the envelope."
)


def output_options(command: Command) -> Command:
    """Add the options that say in which form a run is reported; `style_of` reads them."""
    output = click.option(
        "--output",
        type=click.Choice(STYLES),
        metavar="STYLE",
        help="text; json, as --json; or jsonl, a line of JSON for each thing as it happens.  [default: text]",
    )
    return json_option(output(command))


def style_of(ctx: click.Context, options: dict[str, Any]) -> str:
    """Return the form that was asked for, one of `STYLES`.

    Raises:
        click.UsageError: two were.
    """
    style: str | None = options["output"]
    if options["as_json"] and style not in (None, "json"):
        raise click.UsageError(f"--json and --output {style} contradict each other", ctx)
    return "json" if options["as_json"] else style or "text"


class Report:
    """Prints the outcome of a command, as one JSON document or as text, and returns its exit status.

    With `as_lines` the outcome of a run is the last line of a stream.
    """

    def __init__(self, *, as_json: bool = False, as_lines: bool = False) -> None:
        self._as_json = as_json
        self._as_lines = as_lines

    def result(self, result: "Result", source: "Source | None" = None) -> int:
        """Report a run. As text, what it printed was shown as it came."""
        if self._as_json or self._as_lines:
            self._document(result)
        else:
            _show(result, source)
        if result.error_info and os.environ.get("GITHUB_ACTIONS") == "true":
            _annotate(result.error or "", result.error_info)
        return result.exit_status

    def call(self, result: "CallResult") -> int:
        """Report a call, or what a dry run of it would have sent."""
        if self._as_json:
            write(result.to_json())
            return result.exit_status
        _show_problems(result)
        if result.meta.dry_run and isinstance(result.data, dict):
            write(_request(result.data["request"]))
        elif result.error is None and result.data is not None:
            write(_text(result.data))
        return result.exit_status

    def facts(self, facts: Any, text: str, warnings: "Sequence[str]" = ()) -> int:  # noqa: ANN401  # a record of answers
        """Report what was looked up: a record of `answers`, and the same as text for people."""
        from kosmo_lua.answers import Answer  # noqa: PLC0415  # start-up: not for a script

        return self.answer(Answer(type(facts), facts, warnings=tuple(warnings)), text)

    def answer(self, answer: "Answer", text: str) -> int:
        """Report an answer; `text` is what people see of it, besides its error."""
        if self._as_json:
            write(answer.to_json())
        else:
            write(text)
            _show_problems(answer)
        return answer.exit_status

    def failed(self, error: KosmoError, command: str | None = None) -> int:
        """Report a command that could not do its work, in the envelope of that command."""
        outcome = _failure(error, command)
        if self._as_json or self._as_lines:
            self._document(outcome)
        else:
            _show_problems(outcome)
        return outcome.exit_status

    def _document(self, outcome: "Result | CallResult | Answer") -> None:
        if not self._as_lines:
            write(outcome.to_json())
            return
        from kosmo_lua.cli.stream import result_line  # noqa: PLC0415  # start-up

        write(result_line(outcome))


def _failure(error: KosmoError, command: str | None) -> "Result | CallResult | Answer":
    from kosmo_lua.answers import SHAPES, Answer  # noqa: PLC0415  # only for errors
    from kosmo_lua.endings import failed  # noqa: PLC0415  # only for errors
    from kosmo_lua.journal import Recorder  # noqa: PLC0415  # only for errors
    from kosmo_lua.results import CallResult  # noqa: PLC0415  # only for errors

    ending = failed(error)
    if command is not None and command in SHAPES:
        return Answer(SHAPES[command], error=ending.error, error_info=ending.info)
    run = Recorder().result(ending)
    is_call = command and re.match(r"(integrations|mcp):(?!lua$)", command)
    return CallResult.of(run, function=error.function) if is_call else run


def _show(result: "Result", source: "Source | None") -> None:
    if result.plan is not None:
        write(_plan(result.plan))
    _show_problems(result, source)
    if result.error_info is None and result.result is not None:
        write(_text(result.result))


def _plan(plan: "Sequence[PlannedCall]") -> str:
    """Show the writes of a dry run, a line for each."""
    import json  # noqa: PLC0415  # the journal has loaded it

    lines = [f"{len(plan):,} {'write' if len(plan) == 1 else 'writes'} planned, none made"]
    for call in plan:
        account = "" if call.account == "default" else f" as {call.account}"
        arguments = json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)
        lines.append(f"  {call.function}{account} {arguments}")
    return "\n".join(lines)


def _show_problems(
    outcome: "Result | CallResult | Answer", source: "Source | None" = None
) -> None:
    for warning in outcome.warnings:
        say(f"warning: {warning}")
    if outcome.error_info:
        say(f"error: {outcome.error}")
        _show_place(outcome.error_info, outcome.error or "", source)
        if outcome.error_info.hint:
            say(f"hint: {outcome.error_info.hint}")


def _show_place(info: "ErrorInfo", error: str, source: "Source | None") -> None:
    """Show the line with its neighbours, and how the script came there."""
    lines = source.lines(info.file) if source and info.file else []
    number = info.line or 0
    if not 0 < number <= len(lines):
        return
    for at in range(max(number - 1, 1), min(number + 1, len(lines)) + 1):
        line = lines[at - 1].rstrip().expandtabs(4)
        shown, column = _cut(line, _column(line, error) if at == number else 0)
        say(f"{at:5} | {shown}".rstrip())
        if at == number:
            say(f"{'':5} | {' ' * _width(shown[:column])}^")
    title, *frames = (info.traceback or "").splitlines() or [""]
    if sum("[C]" not in frame for frame in frames) > 1:  # more than the line that was shown
        say("\n".join([title, *frames]).replace("\t", "  "))


def _column(line: str, error: str) -> int:
    """Where in the line the error is: at the last of the names that it quotes, else where the line begins."""
    names = "|".join(re.findall(r"'(\w+)'", error))
    if names and (found := [*re.finditer(rf"\b({names})\b", line)]):
        return found[-1].start()
    return len(line) - len(line.lstrip())


def _cut(line: str, column: int) -> tuple[str, int]:
    """Return what fits a terminal of a line, around a column, and where the column is in that."""
    start = max(0, min(column - _WIDTH // 2, len(line) - _WIDTH))
    before, after = ("..." if cut else "" for cut in (start, line[start + _WIDTH :]))
    return f"{before}{line[start : start + _WIDTH]}{after}", len(before) + column - start


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # noqa: PLC0415  # only for such a line

    return sum(0 if combining(c) else 1 + (east_asian_width(c) in "WF") for c in text)


def _request(request: Any) -> str:  # noqa: ANN401  # a PlannedRequest as JSON, or None
    """Show a request as HTTP writes it."""
    if request is None:
        return "The function sends no request."
    lines = [f"{request['method']} {request['url']}"]
    lines += [f"{name}: {value}" for name, value in request["headers"].items()]
    return "\n".join([*lines, *(["", _text(request["body"])] if request["body"] else [])])


def _annotate(error: str, info: "ErrorInfo") -> None:
    """Let GitHub show the error beside its line."""
    place = f"file={info.file},line={info.line}" if info.file and info.line else ""
    data = error.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    say(f"::error {place}::{data}")


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    import json  # noqa: PLC0415  # the journal has loaded it; here only for a result

    return json.dumps(value, ensure_ascii=False, indent=2)


def say(text: str) -> None:
    """Write lines for people to stderr. Where it takes no more, the command goes on without a word."""
    shown = "\n".join(_printable(line.expandtabs(4)) for line in text.split("\n"))
    with suppress(OSError):
        sys.stderr.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
        sys.stderr.buffer.flush()


def _printable(line: str) -> str:
    """Keep a script from moving the cursor of the terminal that shows its line or its error."""
    return "".join(char if char.isprintable() else "?" for char in line)
