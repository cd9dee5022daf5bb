"""kosmo integrations:lua: run a Lua workflow."""

import gc
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.cli.approval import Approval, on_terminal, with_force
from kosmo_lua.cli.delivery import delivery_options
from kosmo_lua.cli.limits import limit_options, limits_of
from kosmo_lua.cli.output import Printer, can_rewrite
from kosmo_lua.cli.report import Report, output_options, style_of
from kosmo_lua.cli.source import Source
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.cli.usage import refused
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.isolation import Isolation
from kosmo_lua.kosmo import Kosmo

if TYPE_CHECKING:  # only named here
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from kosmo_lua.cli.trace import Trace


class ScriptCommand(OnceCommand):
    """A command whose arguments after `--` belong to the script."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; what belongs to the script is `ctx.obj`."""
        own, given = args, list[str]()
        if "--" in args:
            at = args.index("--")
            own, given = args[:at], args[at + 1 :]
        ctx.obj = given
        return super().parse_args(ctx, own)


@click.command("integrations:lua", cls=ScriptCommand, short_help="Run a Lua workflow.")
@click.argument("file", required=False)
@click.option("-e", "--eval", "code", metavar="CODE", help="Lua code to run instead of a file.")
@click.option("--repl", is_flag=True, help="Read Lua from the terminal, line by line.")
@output_options
@click.option("-q", "--quiet", is_flag=True, help="Show no progress on the terminal.")
@click.option(
    "--trace", metavar="FILE", help="Write every call with its times, as JSON Lines, to FILE."
)
@click.option("--force", is_flag=True, help="Lift the policies ask and deny for this run.")
@click.option("--read-only", is_flag=True, help="Deny every write, whatever the policy says.")
@click.option(
    "--emulator",
    is_flag=True,
    help="Call emulators on this machine: no credentials, nothing real.",
)
@click.option(
    "--lua-path",
    "folders",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False),
    help="Where require looks for modules, after the folder of FILE; may be repeated.",
)
@click.option(
    "--record", metavar="FILE", help="Write every call to FILE, without secrets, for --replay."
)
@click.option("--replay", metavar="FILE", help="Answer every call from FILE: nothing is sent.")
@click.option("--dry-run", is_flag=True, help="Make reads, show the writes that would be made.")
@delivery_options
@limit_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values, one for each option
    """Run the Lua workflow FILE, `-` for stdin, or the code of --eval.

    The script sees app.integrations.*, app.mcp.*, docs.*, json.*, regex.*, print and dump. What follows `--`
    on the command line is its table `arg`.

        kosmo integrations:lua --eval 'print(docs.list())'

        kosmo integrations:lua workflow.lua --force --json -- --since 2026-04-01
    """
    return run(ctx, options)


def run(ctx: click.Context, options: dict[str, Any]) -> int:
    """Run what the command line names, and return the exit status."""
    style = options["style"] = style_of(ctx, options)
    if options["repl"]:
        from kosmo_lua.cli.repl import repl  # noqa: PLC0415  # only here

        return repl(ctx, options)
    source = Source.read(options["file"], options["code"], options["folders"])
    _keep_apart(options)
    asks = source.name != "stdin" and on_terminal()
    printer = Printer()
    approval = Approval(printer.undisturbed) if asks else None
    kosmo = make_kosmo(options, approval)
    with _traced(options["trace"]) as trace:
        gc.freeze()
        gc.enable()
        with printer:
            result = kosmo.run(
                source.text,
                name=source.name,
                arguments=ctx.obj,
                folders=source.folders,
                **_listeners(options, printer, trace),
            )
    if trace and trace.problem:
        result = result._replace(warnings=(*result.warnings, trace.problem))
    return Report(as_json=style == "json", as_lines=style == "jsonl").result(result, source)


def _keep_apart(options: dict[str, Any]) -> None:
    """Return when what is written is none of the other files: it would be lost.

    Raises:
        click.UsageError: two are the same.
    """
    read = [("the script", options["file"]), ("--replay", options["replay"])]
    written = [(f"--{name}", options[name]) for name in ("record", "trace")]
    for number, (name, path) in enumerate(written):
        for other, file in (*read, *written[:number]):
            if path and file and _is_same(path, file):
                raise refused(f"{name} and {other} are the same file: {path}")


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except OSError:  # the working folder is gone; whoever opens them says so
        return False


def _traced(path: str | None) -> "AbstractContextManager[Trace | None]":
    if path is None:
        return nullcontext()
    from kosmo_lua.cli.trace import Trace  # noqa: PLC0415  # only here

    return Trace(path)


def _listeners(
    options: dict[str, Any], printer: Printer, trace: "Trace | None"
) -> dict[str, "Callable[[Any], None]"]:
    """Return who listens to the run, by the arguments of `Kosmo.run`."""
    listeners: dict[str, Callable[[Any], None]] = {"on_event": trace.take} if trace else {}
    if options["style"] == "jsonl":
        from kosmo_lua.cli.stream import streamed  # noqa: PLC0415  # only here

        listeners["on_event"] = streamed(printer, trace)
    elif options["style"] == "text":
        listeners["on_output"] = printer.print
        if not options["quiet"] and can_rewrite():
            listeners["on_progress"] = printer.show
    return listeners


def make_kosmo(
    options: dict[str, Any], approval: Approval | None, isolation: Isolation = "fork"
) -> Kosmo:
    """Return the Kosmo that the options describe; without an approval there is nobody to ask."""
    config = Config.here()
    return Kosmo(
        environ={**os.environ},  # it does not change, and looking a variable up there takes long
        config=config,
        integrations=() if options.get("mcp_only") else None,
        emulator=options.get("emulator", False),
        force=options["force"],
        read_only=options["read_only"],
        ask=approval.ask if approval else None,
        retry_budget=options["retry_budget"],
        run_id=options["run_id"],
        record=options["record"],
        replay=options["replay"],
        dry_run=options["dry_run"],
        audit=None if options.get("emulator") else config.path(AUDIT),
        limits=limits_of(options, config),
        isolation=isolation if hasattr(os, "fork") else "thread",
        remedy=with_force,
    )
