"""Changes of the configuration: accounts, which integrations are enabled, rules of the policy."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import DEFAULT
from kosmo_lua.config import COMMAND, CREDENTIALS, KEYRING, LOCK, USER, Config
from kosmo_lua.config.files import change
from kosmo_lua.config.policy_rules import Rule
from kosmo_lua.config.schema import check
from kosmo_lua.config.spelling import NAME, same
from kosmo_lua.config.stored import (
    check_value,
    forget_in_keyring,
    keep_in_keyring,
)
from kosmo_lua.errors import ConfigError, UnknownAccount
from kosmo_lua.settings import checked, spelled, spellings

if TYPE_CHECKING:
    from kosmo_lua.config.files import Document
    from kosmo_lua.integration import Integration


class Configurator:
    """Changes the files of a configuration; every value is checked before anything is written."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def set_account(
        self,
        integration: "Integration[Any]",
        account: str,
        settings: Mapping[str, str],
        *,
        unset: Sequence[str] = (),
        keyring: bool = False,
    ) -> None:
        """Store settings of an account, which is made if there is none of that name.

        A setting is a value, or `cmd:` and a command that prints it. `keyring` stores the secrets in the
        system's keyring.

        Raises:
            ConfigError: a value cannot be used, or a name.
            UnknownAccount: there is nothing to unset.
            ExtraMissing: the keyring is not installed.
        """
        stored = self._config.accounts(integration.name)
        _check_name(integration, account, stored)
        if account not in stored and not settings:
            raise _unknown(integration, account, stored)
        new = _canonical(integration, account, settings)
        # What is stored may be unknown, and must go all the same.
        gone = {
            name if name in stored.get(account, {}) else spelled(integration, name)
            for name in unset
        }
        gone |= {alias for name in (*new, *gone) for alias in spellings(integration, name)} - {
            *new
        }
        kept = {name: v for name, v in stored.get(account, {}).items() if name not in gone}
        _check_values(integration, {**kept, **new})
        if keyring:
            new = _in_keyring(integration, account, new)
        self._change_account(integration.name, account, new, gone)

    def _change_account(
        self, integration: str, account: str, new: Mapping[str, str], gone: set[str]
    ) -> None:
        unused = set[str]()

        def edit(document: "Document") -> None:
            accounts = document.setdefault(integration, {})
            settings = accounts.get(account, {})
            unused.update(
                n for n, v in settings.items() if v == KEYRING and (n in gone or n in new)
            )
            for name in gone & {*settings}:
                settings.pop(name)
            if account in accounts:
                settings.update(new)
            else:
                accounts[account] = {**new}

        self._change(CREDENTIALS, edit)
        for name in (name for name in unused if new.get(name) != KEYRING):
            forget_in_keyring(integration, account, name)

    def remove_account(self, integration: "Integration[Any]", account: str) -> None:
        """Forget a stored account.

        Raises:
            UnknownAccount: none of that name is stored.
            ConfigError: the keyring does not let go of its secrets; then nothing is removed.
        """
        stored = self._config.accounts(integration.name)
        if account not in stored:
            raise _unknown(integration, account, stored)
        for name, value in stored[account].items():
            if value == KEYRING:
                forget_in_keyring(integration.name, account, name)

        def edit(document: "Document") -> None:
            accounts = document.get(integration.name, {})
            accounts.pop(account, None)
            if not accounts:
                document.pop(integration.name, None)

        self._change(CREDENTIALS, edit)

    def enable(self, integration: "Integration[Any]", *, enabled: bool) -> None:
        """Let an integration be called, or not."""

        def edit(document: "Document") -> None:
            integrations = document.setdefault("integrations", {})
            integrations.setdefault(integration.name, {})["enabled"] = enabled

        self._change(USER, edit)

    def decide(self, pattern: str, decision: str, *, project: str | None = None) -> None:
        """Set a rule of the policy, the user's or that of a project's file.

        Raises:
            ConfigError: the rule makes no sense, or the file cannot be changed.
        """
        Rule.of(pattern, decision, project or USER)

        def edit(document: "Document") -> None:
            document.setdefault("policy", {})[pattern] = decision

        if project and os.path.islink(project):
            # It comes with the clone, and would lead the change to any file of the user.
            raise ConfigError(f"cannot change {project}: it is a link")
        self._change(project or USER, edit)

    def _change(self, name: str, edit: Callable[["Document"], None]) -> None:
        """Change a file of the user's, or the project's, of which the path is given."""
        kind = {USER: "user", CREDENTIALS: "credentials"}.get(name, "project")
        path = name if kind == "project" else self._config.own_path(name)
        change(
            path,
            edit,
            check=lambda values: check(values, path, kind),
            lock=self._config.own_path(LOCK),
            secret=kind == "credentials",
            mode=0o644 if kind == "project" else 0o600,
        )


def _check_name(integration: "Integration[Any]", account: str, stored: Iterable[str]) -> None:
    if not NAME.fullmatch(account):
        message = f"{account!r} cannot be the name of an account"
        raise ConfigError(message, hint="Use letters, digits, - and _.")
    title = integration.title
    for function in integration.functions.values():
        if account in function.spellings:
            message = f"the account {account} would have the name of a function of {title}"
            raise ConfigError(message, hint="Give the account another name.")
    for other in same(account, {DEFAULT, *stored} - {account}):
        message = f"the account {account} would have the same variables as {other} of {title}"
        raise ConfigError(message, hint="Give the account another name.")


def _canonical(
    integration: "Integration[Any]", account: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """Return the settings under their own names, where some may have come by an alias."""
    new: dict[str, str] = {}
    for given, value in settings.items():
        name = spelled(integration, given)
        if name in new:
            raise ConfigError(f"{given} is {name}, which was given, too")
        if not value.strip():
            whose = "" if account == DEFAULT else f" --account {account}"
            command = f"kosmo integrations:configure {integration.name}{whose} --unset {name}"
            raise ConfigError(f"{given} is empty", hint=f"To forget one that is stored: {command}")
        check_value(value.strip(), given)
        new[name] = value.strip()
    return new


def _check_values(integration: "Integration[Any]", settings: Mapping[str, object]) -> None:
    plain = {
        spelled(integration, name): str(value)
        for name, value in settings.items()
        if value != KEYRING and not str(value).startswith(COMMAND)
    }
    checked(integration, plain, {name: name for name in plain})


def _in_keyring(
    integration: "Integration[Any]", account: str, settings: Mapping[str, str]
) -> dict[str, str]:
    """Move the secrets among the settings to the keyring; return what the file says instead."""
    kept = dict(settings)
    for name, value in settings.items():
        if integration.credentials.is_secret(name) and not value.startswith(COMMAND):
            keep_in_keyring(value, integration.name, account, name)
            kept[name] = KEYRING
    return kept


def _unknown(
    integration: "Integration[Any]", account: str, stored: Iterable[str]
) -> UnknownAccount:
    known = ", ".join(stored) or "none"
    message = f"no account {account} of {integration.title} is stored. Stored: {known}."
    return UnknownAccount(message)
