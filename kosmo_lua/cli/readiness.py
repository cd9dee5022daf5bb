"""kosmo integrations:status, doctor, fields, test: what is configured, and whether it works."""

import click

from kosmo_lua.answers import Answer, Diagnosis, Fields, Status
from kosmo_lua.cli.arguments import account_names, provider_argument
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo

_account_option = click.option(
    "--account",
    metavar="NAME",
    default="default",
    show_default=True,
    shell_complete=account_names,
    help="Which account.",
)
_emulator_option = click.option("--emulator", is_flag=True, help="Ask the emulator.")


@click.command(
    "integrations:status", cls=OnceCommand, short_help="Show which integrations are configured."
)
@json_option
def status_command(*, as_json: bool) -> int:
    """Show which integrations are configured, and their accounts."""
    kosmo = Kosmo(config=Config.here())
    status = kosmo.readiness.status()
    return Report(as_json=as_json).facts(status, _status(status), kosmo.catalog.problems)


@click.command(
    "integrations:doctor", cls=OnceCommand, short_help="Say what is missing, and what to do."
)
@provider_argument(required=False)
@json_option
def doctor_command(*, provider: str | None, as_json: bool) -> int:
    """Say what PROVIDER, or each integration, lacks, and which commands come next. Nothing is sent."""
    kosmo = Kosmo(config=Config.here())
    found = kosmo.readiness.doctor(provider)
    text = "\n\n".join(_diagnosis(name, each) for name, each in found.providers.items())
    return Report(as_json=as_json).facts(found, text, kosmo.catalog.problems)


@click.command(
    "integrations:fields", cls=OnceCommand, short_help="Show the settings of an integration."
)
@provider_argument()
@_account_option
@json_option
def fields_command(*, provider: str, account: str, as_json: bool) -> int:
    """Show the settings of PROVIDER, whether each is set, and the variables that set it; never a value."""
    kosmo = Kosmo(config=Config.here())
    fields = kosmo.readiness.fields(provider, account)
    return Report(as_json=as_json).facts(fields, _fields(fields), kosmo.catalog.problems)


@click.command("integrations:test", cls=OnceCommand, short_help="Check whether credentials work.")
@provider_argument()
@_account_option
@_emulator_option
@json_option
def test_command(*, provider: str, account: str, emulator: bool, as_json: bool) -> int:
    """Check the credentials of an account of PROVIDER with requests that only read. No event is sent."""
    # Nothing lifts the policy here: the hint names what to change, and no option.
    with Kosmo(config=Config.here(), emulator=emulator, remedy=lambda: "") as kosmo:
        answer = kosmo.check(provider, account)
    return Report(as_json=as_json).answer(answer, _checks(answer))


def _status(status: Status) -> str:
    rows = [("Provider", "Status", "Accounts", "Functions")]
    for name, state in status.providers.items():
        words = "configured" if state.configured else "not configured"
        rows.append((name, words, ", ".join(state.accounts), str(state.functions)))
    return table(rows)


def _diagnosis(name: str, found: Diagnosis) -> str:
    lines = [f"{name}: {'configured' if found.configured else 'not configured'}"]
    for each in found.accounts:
        missing = f"no {', no '.join(each.missing)}" if each.missing else "complete"
        lines.append(f"  account {each.account}: {each.problem or missing}")
    lines.append(f"  reads: {found.permissions.read}, writes: {found.permissions.write}")
    return "\n".join([*lines, "  next:", *(f"    {command}" for command in found.next_commands)])


def _fields(fields: Fields) -> str:
    rows = [("Setting", "Type", "Set by", "Variables", "Meaning")]
    for each in fields.fields:
        source = each.source or ("missing" if each.required else "-")
        rows.append((each.key, each.type, source, ", ".join(each.variables), each.description))
    return table(rows)


def _checks(answer: Answer) -> str:
    rows = [(check.key, check.state, check.message) for check in answer.facts.checks]
    return table(rows) or f"{answer.facts.provider} needs no credentials."
