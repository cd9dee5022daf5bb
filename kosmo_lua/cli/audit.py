"""kosmo audit: what runs have called."""

from collections import deque
from typing import TYPE_CHECKING

import click

from kosmo_lua.answers import AuditLog
from kosmo_lua.audit import Audit
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.config import AUDIT, Config
from kosmo_lua.errors import KosmoError, UnknownAccount, UnknownFunction, UnknownIntegration
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.suggestions import nearest

if TYPE_CHECKING:  # start-up: only named here
    from collections.abc import Iterable, Iterator

    from kosmo_lua.values import JsonObject

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
    name = None if function is None else _log_name(function)
    wanted = {"run_id": run_id, "function": name or function}
    problems: list[str] = []
    seen = set[str]()
    calls = _chosen(Audit(path).read(problems) if path else (), wanted, seen)
    log = AuditLog(path, tuple(deque(calls, limit)))
    if function is not None and not name and function not in seen:
        problems.append(_never_was(function, seen))
    rows = [
        ["" if call.get(name) is None else str(call[name]) for name in _COLUMNS]
        for call in log.calls
    ]
    text = table([_COLUMNS, *rows]) if rows else "Nothing was called."
    return Report(as_json=as_json).facts(log, text, problems)


def _chosen(
    calls: "Iterable[JsonObject]", wanted: dict[str, str | None], seen: set[str]
) -> "Iterator[JsonObject]":
    """Yield the calls that have what is wanted; `seen` gets the functions of all."""
    for call in calls:
        seen.add(str(call.get("function")))
        if all(value in (None, call.get(key)) for key, value in wanted.items()):
            yield call


def _log_name(function: str) -> str | None:
    """Return the name under which the log has a function; None: nothing is installed that has this name."""
    catalog = Kosmo(config=Config.here()).catalog
    if function in (f"{name}.batch" for name in catalog.names):  # the requests of its batches
        return function
    try:
        return catalog.resolve(function).function.log_name
    except (UnknownAccount, UnknownFunction, UnknownIntegration):
        return None
    except KosmoError:  # a server that cannot be asked
        return function


def _never_was(function: str, seen: set[str]) -> str:
    """Say that nothing has this name, which an empty list would leave open; and what may have been meant."""
    installed = Kosmo(config=Config.here()).catalog.known
    functions = [each for known in installed for each in known.functions.values()]
    spellings = [
        f"{each.integration}.{name}" for each in functions for name in (each.name, *each.aliases)
    ]
    known = dict.fromkeys([*spellings, *sorted(seen)])
    last = {name.rpartition(".")[2]: name for name in known}
    near = nearest(function, known) or [last[name] for name in nearest(function, last)]
    sentence = f"no call of {function} is in the log, and nothing of that name is installed"
    return f"{sentence}. Did you mean: {', '.join(near)}?" if near else sentence
