"""kosmo audit: what runs have called."""

from collections import deque

import click

from kosmo_lua.answers import AuditLog
from kosmo_lua.audit import Audit
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.errors import KosmoError
from kosmo_lua.kosmo import Kosmo

_COLUMNS = ("time", "user", "run_id", "function", "account", "effect", "status", "error")


@click.command("audit", cls=StrictCommand, short_help="Show what runs have called.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="How many calls, the newest.",
)
@click.option("--run", "run_id", metavar="ID", help="Only those of this run.")
@click.option("--function", metavar="NAME", help="Only those of this function.")
@json_option
def command(*, limit: int, run_id: str | None, function: str | None, as_json: bool) -> int:
    """Show the calls that runs have made, the oldest first. Arguments are not kept, only a hash of them."""
    path = Config.here().path(AUDIT)
    name = _full_name(function) if function else None
    wanted = {key: value for key, value in (("run_id", run_id), ("function", name)) if value}
    problems: list[str] = []
    calls = (
        call
        for call in (Audit(path).read(problems) if path else ())
        if all(call.get(name) == value for name, value in wanted.items())
    )
    log = AuditLog(path, tuple(deque(calls, limit)))
    rows = [
        ["" if call.get(name) is None else str(call[name]) for name in _COLUMNS]
        for call in log.calls
    ]
    text = table([_COLUMNS, *rows]) if rows else "Nothing was called."
    return Report(as_json=as_json).facts(log, text, problems)


def _full_name(function: str) -> str:
    """Return the name under which the log has a function; it may be of an integration that is gone."""
    try:
        return Kosmo(config=Config.here()).catalog.resolve(function).function.full_name
    except KosmoError:
        return function
