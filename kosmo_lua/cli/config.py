"""kosmo config:explain: which of the places that say something counts."""

import click

from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo


@click.command(
    "config:explain", cls=StrictCommand, short_help="Say which source of a setting counts."
)
@click.argument("key")
@json_option
def explain_command(*, key: str, as_json: bool) -> int:
    """Show every place that has a value for KEY, and which one counts.

    Keys are such as segment.write_key, segment.production.region, limits.cpu, policy.segment.track_event,
    policy.segment@production.write, integrations.segment.enabled, allow_force.
    """
    config = Config.here()
    explanation = Kosmo(config=config).administration.explain(key)
    rows = [
        ("->" if candidate.wins else "", candidate.value, candidate.source)
        for candidate in explanation.candidates
    ]
    return Report(as_json=as_json).facts(
        explanation, table(rows) if rows else f"{key} is not set."
    )
