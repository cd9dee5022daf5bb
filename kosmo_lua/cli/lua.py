"""kosmo integrations:lua: run a Lua workflow."""

import gc
import os
from typing import Any

import click

from kosmo_lua.cli.approval import Approval, on_terminal, with_force
from kosmo_lua.cli.limits import limit_options, limits_of, retry_option
from kosmo_lua.cli.output import Printer
from kosmo_lua.cli.report import Report
from kosmo_lua.cli.source import Source
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.isolation import Isolation
from kosmo_lua.kosmo import Kosmo


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
@click.option("--repl", is_flag=True, help="Read Lua from the terminal, line by line.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document: the envelope.")
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
    "--run",
    "run_id",
    metavar="ID",
    help="Name the run: repeated by its ID, it sends nothing twice to services that drop duplicates.",
)
@click.option(
    "--record", metavar="FILE", help="Write every call to FILE, without secrets, for --replay."
)
@click.option("--replay", metavar="FILE", help="Answer every call from FILE: nothing is sent.")
@click.option("--dry-run", is_flag=True, help="Make reads, show the writes that would be made.")
@retry_option
@limit_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401  # click's values, one for each option
    """Run the Lua workflow FILE, `-` for stdin, or the code of --eval.

    The script sees app.integrations.*, docs.*, json.*, regex.*, print and dump. What follows `--` on the
    command line is its table `arg`.

        kosmo integrations:lua --eval 'print(docs.list())'

        kosmo integrations:lua workflow.lua --force --json -- --since 2026-04-01
    """
    if options["repl"]:
        from kosmo_lua.cli.repl import repl  # noqa: PLC0415  # only here

        return repl(ctx, options)
    source = Source.read(options["file"], options["code"], options["folders"])
    asks = source.name != "stdin" and on_terminal()
    kosmo = make_kosmo(options, asks=asks)
    gc.freeze()
    gc.enable()
    with Printer() as printer:
        output = None if options["as_json"] else printer.print
        result = kosmo.run(
            source.text,
            name=source.name,
            arguments=ctx.obj,
            folders=source.folders,
            on_output=output,
        )
    return Report(as_json=options["as_json"]).result(result, source)


def make_kosmo(options: dict[str, Any], *, asks: bool, isolation: Isolation = "fork") -> Kosmo:
    """Return the Kosmo that the options describe. `asks`: there is somebody to ask."""
    config = Config.here()
    return Kosmo(
        config=config,
        emulator=options["emulator"],
        force=options["force"],
        read_only=options["read_only"],
        ask=Approval().ask if asks else None,
        retry_budget=options["retry_budget"],
        run_id=options["run_id"],
        record=options["record"],
        replay=options["replay"],
        dry_run=options["dry_run"],
        audit=None if options["emulator"] else config.path(AUDIT),
        limits=limits_of(options, config),
        isolation=isolation if hasattr(os, "fork") else "thread",
        remedy=with_force,
    )
