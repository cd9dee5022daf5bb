"""The command `kosmo`: the only place where an error becomes an envelope and an exit status.

Start-up is sacred: a command is imported when it is called, and imports what it needs when it needs it.
"""

import os
import signal
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

import click

from kosmo_lua import __version__
from kosmo_lua.cli.group import LazyGroup
from kosmo_lua.cli.output import OutputFailedError
from kosmo_lua.cli.report import Report
from kosmo_lua.errors import (
    CLOSED_STDOUT,
    CODES,
    SIGNALS,
    Defect,
    Interrupted,
    KosmoError,
    UnknownFunction,
    UnknownIntegration,
    UsageError,
)
from kosmo_lua.lua.stop import heeded

if TYPE_CHECKING:  # only named here
    from types import FrameType


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's signature
    if not wanted or ctx.resilient_parsing:
        return
    from kosmo_lua.lua.syntax import LUA_VERSION  # noqa: PLC0415  # lupa, only here

    python = ".".join(map(str, sys.version_info[:3]))
    click.echo(f"kosmo {__version__} (Lua {LUA_VERSION}, Python {python})")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run Lua workflows against SaaS APIs, in a sandbox."""


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit status."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        return CLOSED_STDOUT
    except OutputFailedError as error:
        sys.stderr.write(f"error: cannot write the output: {error}\n")
        return CODES["internal"].exit_status


def _run(arguments: list[str]) -> int:
    """Report every error in the form asked for."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for number in heeded():
        signal.signal(number, _interrupt)
    try:
        if instruction := os.environ.get("_KOSMO_COMPLETE"):
            from kosmo_lua.cli.completion import complete  # noqa: PLC0415  # only when the shell asks

            return complete(cli, instruction)
        # Not click's `main`, to which every signal is Ctrl-C, and which prints an empty line after it.
        with cli.make_context("kosmo", [*arguments]) as ctx:
            status = cli.invoke(ctx)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except (BrokenPipeError, OutputFailedError):
        raise
    except BaseException as error:  # noqa: BLE001  # the last resort: a user never sees a traceback
        report = Report(as_json=_wants_json(before), as_lines=_wants_lines(before))
        return report.failed(_told(error), before[0] if before else None)
    return status if isinstance(status, int) else 0


def _wants_json(arguments: list[str]) -> bool:
    """Whether the outcome is one JSON document; errors of the command line are outcomes, too."""
    command = arguments[0] if arguments else ""
    option = {
        "integrations:docs": "--format",
        "integrations:lua": "--output",
        "mcp:lua": "--output",
    }
    return "--json" in arguments or _has(arguments, option.get(command, ""), "json")


def _wants_lines(arguments: list[str]) -> bool:
    """Whether the outcome is the last line of a stream."""
    runs = arguments[:1] in (["integrations:lua"], ["mcp:lua"])
    return runs and _has(arguments, "--output", "jsonl")


def _has(arguments: list[str], option: str, value: str) -> bool:
    """Whether an option is given with this value, in one word or in two."""
    return f"{option}={value}" in arguments or (option, value) in pairwise(arguments)


def _told(error: BaseException) -> KosmoError:
    """Return what is said about an error."""
    if isinstance(error, UnknownFunction | UnknownIntegration) and "kosmo mcp:" not in (
        error.hint or ""
    ):
        listed = "mcp:tools" if "mcp." in error.message else "integrations:docs"
        error.hint = f"List them: kosmo {listed}"  # not as a script would
    if isinstance(error, KosmoError):
        return error
    if isinstance(error, click.Abort | KeyboardInterrupt):
        # click's prompts turn a signal into Abort.
        name = str(error.__context__ if isinstance(error, click.Abort) else error)
        return Interrupted(name if name in SIGNALS else "SIGINT")
    if isinstance(error, click.ClickException):
        return UsageError(" ".join(error.format_message().split()), hint=_usage_hint(error))
    if isinstance(error, OSError) and OutputFailedError.is_cause(error):
        raise OutputFailedError(error.strerror) from error
    return Defect(f"internal error: {type(error).__name__}: {error}", hint="Please report it.")


def _interrupt(number: int, frame: "FrameType | None") -> NoReturn:  # noqa: ARG001  # a handler's signature
    """End a command as Ctrl-C does, with the name of the signal; while a script is watched, others listen."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def _usage_hint(error: click.ClickException) -> str | None:
    ctx = getattr(error, "ctx", None)
    return f"Try '{ctx.command_path} --help'." if ctx else None
