"""kosmo integrations:lua --repl: Lua line by line, in one Lua state."""

import gc
import importlib.util
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from kosmo_lua import __version__
from kosmo_lua.cli.approval import Approval, on_terminal
from kosmo_lua.cli.lua import make_kosmo
from kosmo_lua.cli.output import Printer
from kosmo_lua.cli.report import Report, say
from kosmo_lua.cli.source import Source
from kosmo_lua.errors import SIGNALS, ExtraMissing
from kosmo_lua.lua.syntax import Syntax
from kosmo_lua.results import Result
from kosmo_lua.session import Session

BANNER = (
    f"kosmo {__version__}. Ctrl-C stops a line, Ctrl-D leaves; print(docs.list()) shows the docs."
)

_LEAVING = {status: name for name, status in SIGNALS.items() if name != "SIGINT"}
"""The exit statuses of the signals that end the REPL; Ctrl-C ends a line."""

_LOST = "The line could only be ended with its Lua state: the globals are gone."

_NAMES = """
local names = {}
for name in pairs(%s) do
  if type(name) == "string" and name:find("^[%%a_][%%w_]*$") then names[#names + 1] = name end
end
return names
"""


def repl(ctx: click.Context, options: dict[str, Any]) -> int:
    """Read statements from the terminal, or else from stdin, and run each; the globals stay."""
    no_text = options["style"] != "text" or options["trace"]
    if options["file"] is not None or options["code"] is not None or no_text:
        message = "--repl reads from the terminal: leave out the file, --eval, --json, --output and --trace"
        raise click.UsageError(message, ctx)
    if options["record"] or options["replay"] or options["dry_run"]:
        raise click.UsageError(
            "--record, --replay and --dry-run are for scripts, not for --repl", ctx
        )
    asks = on_terminal()
    gc.enable()
    folders = options["folders"]
    with (
        make_kosmo(options, Approval() if asks else None, isolation="process") as kosmo,
        kosmo.session(keep=True) as session,
    ):
        for code in _typed(session) if asks else _piped():
            text = code.encode("utf-8", "surrogateescape")  # what is no UTF-8 is told
            result = _run(session, Source("repl", text, folders), ctx.obj)
            if result.exit_status in _LEAVING:
                return result.exit_status
    return 0


def _run(session: Session, source: Source, arguments: list[str]) -> Result:
    name, text, folders = source
    with Printer() as printer:
        result = session.run(
            text,
            name=name,
            arguments=arguments,
            folders=folders,
            on_output=printer.print,
            show=True,
        )
    Report(as_json=False).result(result, source)
    if session.lost and result.exit_status not in _LEAVING:
        say(_LOST)
    return result


def _unseen(session: Session, code: str) -> Result:
    """Run what nobody has typed.

    Raises:
        KeyboardInterrupt: with the name of a signal that ends the REPL.
    """
    result = session.run(code, name="completion")
    if name := _LEAVING.get(result.exit_status):
        raise KeyboardInterrupt(name)
    if session.lost:
        say(_LOST)
    return result


def _names(session: Session, table: str) -> list[str]:
    names = _unseen(session, _NAMES % table).result
    return [str(name) for name in names] if isinstance(names, list) else []


def _typed(session: Session) -> Iterator[str]:
    """Read from the terminal until Ctrl-D."""
    if importlib.util.find_spec("prompt_toolkit") is None:
        message = "--repl needs prompt_toolkit, which is not installed"
        raise ExtraMissing(message, hint='pip install "kosmo-lua[repl]"')
    from kosmo_lua.cli.prompt import Prompt  # noqa: PLC0415  # prompt_toolkit takes 0.2 s

    _unseen(session, "return")  # starts the process while somebody reads the next line
    say(BANNER)
    prompt = Prompt(partial(_names, session))
    while True:
        try:
            code = prompt.read()
        except KeyboardInterrupt as ended:
            if str(ended) in SIGNALS and str(ended) != "SIGINT":
                raise
            continue  # the line is dropped
        except EOFError:
            return
        if code.strip():
            yield code


def _piped() -> Iterator[str]:
    """Read from stdin, each statement as soon as it is whole."""
    syntax, code = Syntax(), ""
    for line in sys.stdin.buffer if sys.stdin else ():
        code += line.decode("utf-8", "surrogateescape")
        if code.strip() and syntax.is_complete(code):
            yield code
            code = ""
    if code.strip():
        yield code
