"""kosmo integrations:configure: credentials, permission, and whether an integration is used."""

from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.accounts import DEFAULT
from kosmo_lua.answers import Configured
from kosmo_lua.cli.arguments import account_names, provider_argument
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.setting import check_names, pairs, warnings_of
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.cli.usage import refused
from kosmo_lua.config import CREDENTIALS, USER, Config
from kosmo_lua.config.policy_rules import DECISIONS, Rule
from kosmo_lua.kosmo import Kosmo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kosmo_lua.integration import Integration

_DECISION = click.Choice(DECISIONS)


def _permissions(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, str]:
    """Read `read:allow,write:ask`, the short form of --read and --write."""
    decisions: dict[str, str] = {}
    for part in (value or "").split(",") if value is not None else ():
        access, _, decision = part.strip().partition(":")
        if access not in ("read", "write") or access in decisions or decision not in DECISIONS:
            message = "it is such as read:allow,write:ask; each is allow, ask or deny"
            raise click.BadParameter(message, ctx, param)
        decisions[access] = decision
    return decisions


@click.command("integrations:configure", cls=StrictCommand, short_help="Set up an integration.")
@provider_argument()
@click.option(
    "--account",
    shell_complete=account_names,
    metavar="NAME",
    help="Whose settings, and whose permission; without it the settings are those of the account default,"
    " and the permission is that of all accounts.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Store a setting; give secrets to accounts:add or --stdin-json instead.",
)
@click.option("--unset", multiple=True, metavar="NAME", help="Forget a setting.")
@click.option("--stdin-json", is_flag=True, help="Read the changes from stdin, as an object.")
@click.option("--enable/--disable", "enabled", default=None, help="Let it be called, or not.")
@click.option("--read", type=_DECISION, help="What is decided for its reads.")
@click.option("--write", type=_DECISION, help="What is decided for its writes.")
@click.option(
    "--permissions",
    callback=_permissions,
    metavar="read:DECISION,write:DECISION",
    help="Both in one option.",
)
@click.option(
    "--project/--global",
    "project",
    default=False,
    help="In the project's file, which only tightens permission; or in your own.",
)
@json_option
def command(*, provider: str, as_json: bool, **options: Any) -> int:  # noqa: ANN401  # click's values
    """Store settings of an account of PROVIDER, decide on its reads and writes, enable or disable it."""
    kosmo = Kosmo(config=Config.here())
    integration = kosmo.catalog.integration(provider)
    change = _given(options, integration)
    if change["account"] is not None and not change["set"]:  # those are stored as they are written
        change["account"] = kosmo.accounts.named(integration.name, change["account"])
    path = _Changes(kosmo, integration, change).apply()
    facts = _facts(integration, change, path, kosmo.config)
    warnings = warnings_of(integration, pairs(options["settings"], "--set"))
    return Report(as_json=as_json).facts(facts, _text(facts), warnings)


def _given(options: dict[str, Any], integration: "Integration[Any]") -> dict[str, Any]:
    """Return what shall be changed: what the options say, and stdin."""
    decisions = {name: options[name] for name in ("read", "write") if options[name]}
    if twice := {*decisions} & {*options["permissions"]}:
        message = f"--{min(twice)} and --permissions both decide on {min(twice)}s: choose one"
        raise refused(message)
    decisions |= options["permissions"]
    change = {
        "account": options["account"],
        "project": options["project"],
        "set": pairs(options["settings"], "--set"),
        "unset": [*options["unset"]],
        "enabled": options["enabled"],
        "permissions": decisions,
    }
    if options["stdin_json"]:
        from kosmo_lua.cli.changes import both, from_stdin  # noqa: PLC0415  # pydantic

        given = from_stdin()
        check_names(integration, given.get("set", ()))
        for name in {*change} & {*given}:
            change[name] = both(name, change[name], given[name])
    return change


class _Changes:
    """Makes the changes of one command, after it has checked that they go together."""

    def __init__(
        self, kosmo: Kosmo, integration: "Integration[Any]", change: dict[str, Any]
    ) -> None:
        self._accounts = kosmo.accounts
        self._config = config = kosmo.config
        self._integration = integration
        self._change = change
        self._project = config.project_file if change["project"] else None

    def apply(self) -> str:
        """Make them; return the file of the last one."""
        from kosmo_lua.configure import Configurator  # noqa: PLC0415  # start-up: not for --help

        change, configurator = self._change, Configurator(self._config)
        self._check()
        path = ""
        if change["set"] or change["unset"]:
            account = _account(change)
            configurator.set_account(
                self._integration, account, change["set"], unset=change["unset"]
            )
            path = self._config.path(CREDENTIALS) or ""
        if change["enabled"] is not None:
            configurator.enable(self._integration, enabled=change["enabled"])
            path = self._config.path(USER) or ""
        for rule in self._rules():
            configurator.decide(rule.pattern, rule.decision, project=self._project)
            path = rule.source
        return path

    def _rules(self) -> "Iterator[Rule]":
        change, path = self._change, self._project or self._config.path(USER) or USER
        whose = self._integration.name
        whose += "" if change["account"] is None else f"@{_account(change)}"
        for access, decision in change["permissions"].items():
            yield Rule.of(f"{whose}.{access}", decision, path)

    def _check(self) -> None:
        from kosmo_lua.naming import check_account  # noqa: PLC0415  # start-up: not for --help

        change = self._change
        self._config.check()  # before anything is changed
        own = change["set"] or change["unset"] or change["enabled"] is not None
        if self._project and own:
            what = "a project's file sets permission only: it comes with every clone"
            raise refused(f"{what}; leave out --project")
        if self._project and "allow" in change["permissions"].values():
            raise refused("a project's file only tightens: ask or deny")
        if not own and not change["permissions"]:
            raise refused("there is nothing to change: give --set, --read, --write or --disable")
        for rule in self._rules():
            if not change["set"]:  # that would make the account
                check_account(rule, self._accounts)


def _facts(
    integration: "Integration[Any]", change: dict[str, Any], path: str, config: Config
) -> Configured:
    project = path if change["project"] else config.project_path
    kosmo = Kosmo(config=Config(config.folder, project))
    account = _account(change)
    return Configured(
        integration.name,
        account,
        "project" if change["project"] else "global",
        path,
        tuple(change["set"]),
        tuple(change["unset"]),
        kosmo.config.enabled(integration.name),
        kosmo.administration.permissions(integration.name, account),
    )


def _account(change: dict[str, Any]) -> str:
    account = change["account"]
    return DEFAULT if account is None else str(account)


def _text(facts: Configured) -> str:
    lines = [f"{facts.provider}: {facts.path}"]
    if facts.credentials_set or facts.credentials_unset:
        changed = [
            *facts.credentials_set,
            *(f"{name} removed" for name in facts.credentials_unset),
        ]
        lines.append(f"  account {facts.account}: {', '.join(changed)}")
    state = "enabled" if facts.enabled else "disabled"
    lines.append(f"  {state}; read {facts.permissions.read}, write {facts.permissions.write}")
    return "\n".join(lines)
