"""kosmo integrations:lua: run a Lua workflow."""

import gc
import math
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.cli.output import Printer
from kosmo_lua.cli.report import Report
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.lua.limits import Limits
from kosmo_lua.lua.script import SOURCES

if TYPE_CHECKING:
    from kosmo_lua.policy import Question

DEFAULTS = Limits()


class _Seconds(click.FloatRange):
    """A positive, finite number of seconds."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  # click's signature
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


class _ScriptCommand(click.Command):
    """A command whose arguments after `--` belong to the script."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, given = args, list[str]()
        if "--" in args:
            at = args.index("--")
            own, given = args[:at], args[at + 1 :]
        ctx.obj = given
        return super().parse_args(ctx, own)


@click.command("integrations:lua", cls=_ScriptCommand, short_help="Run a Lua workflow.")
@click.argument("file", required=False)
@click.option("-e", "--eval", "code", metavar="CODE", help="Lua code to run instead of a file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: the envelope.")
@click.option("--force", is_flag=True, help="Lift the policies ask and deny for this run.")
@click.option(
    "--emulator",
    is_flag=True,
    help="Call emulators on this machine: no credentials, nothing real.",
)
@click.option(
    "--memory-limit",
    type=click.IntRange(min=1),
    metavar="BYTES",
    default=DEFAULTS.memory,
    show_default=True,
    help="Memory of the script.",
)
@click.option(
    "--cpu-limit",
    type=_Seconds(min=0, min_open=True),
    metavar="SECONDS",
    default=DEFAULTS.cpu,
    show_default=True,
    help="CPU time of Lua; waiting and the work of calls do not count.",
)
@click.option(
    "--timeout",
    type=_Seconds(min=0, min_open=True),
    metavar="SECONDS",
    default=DEFAULTS.wall,
    show_default=True,
    help="Time of the whole run.",
)
@click.pass_context
def command(  # noqa: PLR0913  # one argument for each option
    ctx: click.Context,
    file: str | None,
    code: str | None,
    *,
    as_json: bool,
    force: bool,
    emulator: bool,
    memory_limit: int,
    cpu_limit: float,
    timeout: float,
) -> int:
    """Run the Lua workflow FILE, `-` for stdin, or the code of --eval.

    The script sees app.integrations.*, docs.*, json.*, regex.*, print and dump. What follows `--` on the
    command line is its table `arg`.

        kosmo integrations:lua --eval 'print(docs.list())'

        kosmo integrations:lua workflow.lua --force --json -- --since 2026-04-01
    """
    name, source = _source(file, code)
    kosmo = Kosmo(
        emulator=emulator,
        force=force,
        ask=_ask if _on_terminal(name) else None,
        limits=Limits(cpu=cpu_limit, wall=timeout, memory=memory_limit),
        isolation="fork" if hasattr(os, "fork") else "thread",
        remedy=_with_force,
    )
    gc.freeze()
    gc.enable()
    with Printer() as printer:
        output = None if as_json else printer.print
        result = kosmo.run(source, name=name, arguments=ctx.obj, on_output=output)
    return Report(as_json=as_json).result(result, source)


def _source(file: str | None, code: str | None) -> tuple[str, bytes]:
    """Return the name and the text of the script."""
    if code is not None and file is not None:
        message = f"--eval and a file ({file}) were both given: choose one"
        raise click.UsageError(message, click.get_current_context())
    if code is not None:
        return "eval", os.fsencode(code)
    if file is not None and file != "-":
        return _short(file), _read(file)
    if sys.stdin is None or (file is None and sys.stdin.isatty()):
        raise click.UsageError(SOURCES, click.get_current_context())
    try:
        return "stdin", _plain(sys.stdin.buffer.read())
    except OSError as error:
        message = f"cannot read stdin: {error.strerror}"
        raise click.UsageError(message, click.get_current_context()) from None


def _read(file: str) -> bytes:
    try:
        if not stat.S_ISDIR(os.stat(file).st_mode):  # noqa: PTH116  # pathlib is slow to import
            with open(file, "rb") as script:  # noqa: PTH123  # the same
                return _plain(script.read())
        reason = "it is a directory, not a Lua file"
    except FileNotFoundError:
        message = f"Lua file not found: {file}"
        raise click.UsageError(message, click.get_current_context()) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    message = f"cannot read {file}: {reason}"
    raise click.UsageError(message, click.get_current_context())


def _plain(text: bytes) -> bytes:
    """Drop a byte order mark and turn a line `#!...` into a comment, as the command `lua` does."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    return b"--" + text if text.startswith(b"#") else text


def _short(file: str) -> str:
    """Lua cuts a file name of 60 bytes and more from the left; then its last part says more."""
    return file if len(os.fsencode(file)) < 60 else os.path.basename(file)[-59:]  # noqa: PLR2004, PTH119  # see above


def _on_terminal(name: str) -> bool:
    return name != "stdin" and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _with_force() -> str:
    """Return the command line of this process, with --force."""
    import shlex  # noqa: PLC0415  # only for a hint

    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return shlex.join(["kosmo", *arguments[:at], "--force", *arguments[at:]])


def _ask(question: "Question") -> bool:
    import json  # noqa: PLC0415  # the journal has loaded it

    arguments = json.dumps(question.arguments, sort_keys=True)
    shown = arguments if len(arguments) <= 500 else f"{arguments[:500]}..."  # noqa: PLR2004  # a few lines
    click.echo(f"{question.function} of the account {question.account} wants to write:", err=True)
    click.echo(f"  {shown}", err=True)
    click.echo("Allow it? [y/N]: ", err=True, nl=False)
    return _answer().strip().lower() in ("y", "yes")


def _answer() -> str:
    """Read a line from the terminal; its end is an empty one."""
    from select import select  # noqa: PLC0415  # loaded by the supervisor

    # Not a blocking read: a signal that arrives just before it would be noticed only after the answer.
    while not select([sys.stdin], [], [], 0.1)[0]:
        pass
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        click.echo(err=True)
    return line
