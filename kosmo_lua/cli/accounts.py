"""kosmo accounts:list, show, add, remove: the named credentials of integrations."""

import sys
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.answers import AccountChange
from kosmo_lua.cli.approval import on_terminal
from kosmo_lua.cli.arguments import account_names, provider_argument
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.setting import pairs, prompted, settings_from_stdin, warnings_of
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.cli.usage import refused
from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.settings import spelled

if TYPE_CHECKING:
    from kosmo_lua.integration import Integration


@click.command("accounts:list", cls=StrictCommand, short_help="List the accounts.")
@provider_argument(required=False)
@json_option
def list_command(*, provider: str | None, as_json: bool) -> int:
    """List the accounts of every integration, or of PROVIDER, and which of their settings are set."""
    kosmo = Kosmo(config=Config.here())
    listing = kosmo.administration.accounts(provider)
    rows = [
        (entry.provider, entry.account, ", ".join(entry.settings)) for entry in listing.accounts
    ]
    text = (
        table([("Provider", "Account", "Settings"), *rows]) if rows else "There are no accounts."
    )
    return Report(as_json=as_json).facts(listing, text, kosmo.administration.problems())


@click.command(
    "accounts:show", cls=StrictCommand, short_help="Show an account; secrets are hidden."
)
@provider_argument()
@click.argument("account", default="default", shell_complete=account_names)
@json_option
def show_command(*, provider: str, account: str, as_json: bool) -> int:
    """Show the settings of ACCOUNT of PROVIDER and where each comes from. Secrets are hidden."""
    details = Kosmo(config=Config.here()).administration.account(provider, account)
    text = (
        table(details.settings) if details.settings else f"{provider} {account} has no settings."
    )
    return Report(as_json=as_json).facts(details, text)


@click.command("accounts:add", cls=StrictCommand, short_help="Store an account.")
@provider_argument()
@click.argument("account", default="default", shell_complete=account_names)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting that is no secret, or cmd:COMMAND.",
)
@click.option("--keyring", is_flag=True, help="Keep the secrets in the system's keyring.")
@json_option
def add_command(
    *, provider: str, account: str, settings: tuple[str, ...], keyring: bool, as_json: bool
) -> int:
    """Store ACCOUNT of PROVIDER: asks for each setting, or reads them from stdin, as JSON or name=value.

    With --set only the secrets are asked for, or read, and nothing once --set has one. Stdin may be empty
    only where the account has a secret already; integrations:configure stores settings without one.
    """
    kosmo = Kosmo(config=Config.here())
    integration = kosmo.catalog.integration(provider)
    given = pairs(settings, "--set")
    lacking = _lacking(kosmo, integration, account)
    typed = {} if _has_secret(integration, given) else _typed(integration, given, lacking)
    if twice := {*given} & {*typed}:
        raise refused(f"{twice.pop()} is given with --set and on stdin")
    everything = {**given, **typed}
    if not everything:
        raise refused("there are no settings to store")
    from kosmo_lua.configure import Configurator  # noqa: PLC0415  # start-up: not for --help

    Configurator(kosmo.config).set_account(integration, account, everything, keyring=keyring)
    change = AccountChange(integration.name, account, tuple(everything))
    text = f"Stored {', '.join(change.settings)} of {change.provider} {change.account}."
    warnings = warnings_of(integration, given)
    if lacking and not _has_secret(integration, everything):
        words = " and no ".join(lacking)
        warnings.append(f"the account {account} of {integration.title} has no {words}")
    return Report(as_json=as_json).facts(change, text, warnings)


def _lacking(kosmo: Kosmo, integration: "Integration[Any]", account: str) -> list[str]:
    """Return the secrets that functions need, if an account has none of them yet."""
    needed = {function.credential: None for function in integration.functions.values()}
    names = [name for name in needed if name]
    has_one = any(kosmo.accounts.source(integration, account, name) for name in names)
    return [] if has_one else names


def _typed(
    integration: "Integration[Any]", given: dict[str, str], lacking: list[str]
) -> dict[str, str]:
    """Return what somebody types, or what stdin has: with `given` settings, secrets if there are none."""
    if on_terminal():
        return prompted(integration, given)
    if sys.stdin is not None and sys.stdin.isatty():  # what is typed there would be seen
        raise refused("the questions are shown on stderr, which is no terminal")
    what = "the secrets" if given else "the settings"
    return settings_from_stdin(integration, what, required=bool(lacking or not given))


def _has_secret(integration: "Integration[Any]", given: dict[str, str]) -> bool:
    return any(integration.credentials.is_secret(spelled(integration, name)) for name in given)


@click.command("accounts:remove", cls=StrictCommand, short_help="Forget a stored account.")
@provider_argument()
@click.argument("account", shell_complete=account_names)
@json_option
def remove_command(*, provider: str, account: str, as_json: bool) -> int:
    """Forget the stored ACCOUNT of PROVIDER, also in the keyring. Variables of the environment stay."""
    kosmo = Kosmo(config=Config.here())
    integration = kosmo.catalog.integration(provider)
    stored = tuple(kosmo.config.accounts(integration.name).get(account, {}))
    from kosmo_lua.configure import Configurator  # noqa: PLC0415  # start-up: not for --help

    Configurator(kosmo.config).remove_account(integration, account)
    change = AccountChange(integration.name, account, stored)
    return Report(as_json=as_json).facts(change, f"Forgot {change.provider} {change.account}.")
