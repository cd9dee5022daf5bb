"""Accounts: which named sets of credentials there are, and what they hold.

A setting comes from the environment: `KOSMO_SEGMENT_WRITE_KEY` for the default account,
`KOSMO_SEGMENT__WORK__WRITE_KEY` for the account `work`, the vendor's own names for the default. Else it comes
from the user's credentials.toml.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kosmo_lua.config import COMMAND, KEYRING, Config
from kosmo_lua.config.log import hide_in_log
from kosmo_lua.config.spelling import NAME, in_variable, same
from kosmo_lua.errors import ConfigError, CredentialsMissing, UnknownAccount
from kosmo_lua.settings import checked, declared, spelled, spellings
from kosmo_lua.suggestions import nearest

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.catalog import Target
    from kosmo_lua.config.command import Tell
    from kosmo_lua.integration import Credentials, Integration

DEFAULT = "default"


class Accounts:
    """The accounts of every integration, in an environment and the files of a configuration.

    On the emulator (`emulator_url`) every account name is known, and all have the emulator's credentials.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        config: Config | None = None,
        emulator_url: str | None = None,
    ) -> None:
        self._environ = environ
        self._config = config or Config()
        self._emulator_url = emulator_url

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's accounts, `default` first."""
        prefix = f"KOSMO_{integration.upper()}__"
        stored = {*self._config.accounts(integration)}
        known = {in_variable(name) for name in stored}
        found = {
            key.removeprefix(prefix).partition("__")[0].lower()
            for key, value in self._environ.items()
            if key.startswith(prefix) and value
        }
        return [DEFAULT, *sorted((stored | found - known) - {DEFAULT})]

    def named(self, integration: str, account: str) -> str:
        """Return the name of the account that a spelling of it means; of an unknown one, the spelling."""
        return next(iter(same(account, self.names(integration))), account)

    def find(self, integration: "Integration[Any]", account: str) -> str:
        """Return the name of the account that a spelling of it means.

        Raises:
            UnknownAccount: there is none; names the nearest ones.
            ConfigError: it means two, which are stored.
        """
        if self._emulator_url:  # every name is known there, and no file is read
            return account
        known = self.names(integration.name)
        found = same(account, known)
        if not found:
            raise self._unknown(integration, account, known)
        if len(found) > 1:
            names = " and ".join(name for name in known if name in found)
            message = f"the accounts {names} of {integration.title} have the same variables"
            hint = f"Rename one of them in {self._config.credentials.path}."
            raise ConfigError(message, hint=hint)
        return found[0]

    def load(
        self, integration: "Integration[Any]", account: str, tell: "Tell | None" = None
    ) -> "Credentials":
        """Return the credentials of an account that was found, checked.

        `tell` is told of each process that runs meanwhile.

        Raises:
            ConfigError: a setting cannot be used, or is not one of the integration's.
        """
        if self._emulator_url:
            return integration.credentials(**emulated(integration, self._emulator_url))
        self._refuse_unknown_settings(integration, account)
        values, sources = {}, {}
        for setting in integration.credentials.model_fields:
            if source := self.source(integration, account, setting):
                value = self._value(source, tell or _nobody)
                values[setting], sources[setting] = value, source.name
        credentials = checked(integration, values, sources)
        hide_in_log(credentials.secrets(), self._environ)
        return credentials

    def source(
        self, integration: "Integration[Any]", account: str, setting: str
    ) -> "Source | None":
        """Return where a setting of an account comes from, if it is set."""
        if self._emulator_url:
            known = emulated(integration, self._emulator_url)
            return Source("the emulator", known[setting]) if setting in known else None
        return next(self.sources(integration, account, setting), None)

    def sources(
        self, integration: "Integration[Any]", account: str, setting: str
    ) -> "Iterator[Source]":
        """Return every place that has a setting of an account; the first counts."""
        for variable in self.variables(integration, account, setting):
            if value := self._environ.get(variable, "").strip():
                yield Source(variable, value)
        stored = self._config.accounts(integration.name).get(account, {})
        for name in spellings(integration, setting):
            if name in stored:
                key = (integration.name, account, name)
                where = f"{'.'.join(key)} in {self._config.credentials.path}"
                yield Source(where, stored[name], key)

    @staticmethod
    def _value(source: "Source", tell: "Tell") -> str:
        if source.stored is None:
            return _itself(str(source.value), source.name)
        if not isinstance(source.value, str | int) or isinstance(source.value, bool):
            raise ConfigError(f"{source.name} must be a text")
        from kosmo_lua.config.stored import resolve  # noqa: PLC0415  # subprocess, only for what is stored

        return resolve(str(source.value).strip(), *source.stored, tell)

    def variables(self, integration: "Integration[Any]", account: str, setting: str) -> list[str]:
        """Return the environment variables that may hold a setting, the one that wins first."""
        kosmo = f"KOSMO_{integration.name}"
        names = spellings(integration, setting)
        if account != DEFAULT:
            return [f"{kosmo}__{in_variable(account)}__{name}".upper() for name in names]
        places = ("_", f"__{DEFAULT}__")
        own = [f"{kosmo}{place}{name}".upper() for name in names for place in places]
        return [*own, *declared(integration, setting, "env")]

    def require(self, target: "Target", credentials: "Credentials") -> None:
        """Return when an account has the credential that a function needs.

        Raises:
            CredentialsMissing: names the variable to set.
        """
        needed = target.function.credential
        if needed and not getattr(credentials, needed):
            variable = self.variables(target.integration, target.account, needed)[0]
            title, words = target.integration.title, needed.replace("_", " ")
            message = f"the account {target.account} of {title} has no {words}"
            store = f"kosmo accounts:add {target.integration.name} {target.account}"
            hint = f"Set {variable}, store it with {store}, or try it with --emulator."
            for path, wrong, right in self._misfiled(target.integration, target.account, needed):
                hint = f"{path} has it as {wrong}: write [{right}] there."
            raise CredentialsMissing(message, hint=hint)

    def _unknown(
        self, integration: "Integration[Any]", account: str, known: list[str]
    ) -> UnknownAccount:
        message = f"unknown account {account} of {integration.title}."
        for path, wrong, right in self._misfiled(integration, account):
            hint = f"Write [{right}] in {path}."
            return UnknownAccount(f"{message} {path} has it as {wrong}.", hint=hint)
        names = {in_variable(name): name for name in known}
        near = [names[each] for each in nearest(in_variable(account), names, like=0.5)]
        suggestion = (
            f"Did you mean: {', '.join(near)}?" if near else f"Configured: {', '.join(known)}."
        )
        hint = f"To add it, {_addition(integration, account)}."
        return UnknownAccount(f"{message} {suggestion}", hint=hint)

    def _misfiled(
        self, integration: "Integration[Any]", account: str, setting: str | None = None
    ) -> "Iterator[tuple[str, str, str]]":
        """Yield where an account, or its setting, is stored below almost the name of its integration.

        That is the file, the place that it has there, and the right one.
        """
        own, (path, stored) = integration.name, self._config.credentials
        for section in nearest(own, {*stored} - {own}, like=0.8):
            accounts = self._config.accounts(section)
            for name in same(account, accounts):
                wanted = spellings(integration, setting) if setting else accounts[name]
                if any(each in accounts[name] for each in wanted):
                    yield path, f"{section}.{name}", f"{own}.{name}"

    def _refuse_unknown_settings(self, integration: "Integration[Any]", account: str) -> None:
        prefix = f"KOSMO_{integration.name}__{in_variable(account)}__".upper()
        for variable in self._environ:
            if variable.startswith(prefix):
                name = variable.removeprefix(prefix).lower()
                spelled(integration, name, lambda name: f"{prefix}{name.upper()}")
        for name in self._config.accounts(integration.name).get(account, {}):
            try:
                spelled(integration, name)
            except ConfigError as error:
                error.message = f"{self._config.credentials.path}: {error.message}"
                raise


class Source(NamedTuple):
    """Where a setting comes from: a variable, or (`stored`: integration, account, name) the user's file."""

    name: str
    value: object
    stored: tuple[str, str, str] | None = None


def _itself(value: str, variable: str) -> str:
    """Return the value of a variable, where nobody looks for what `cmd:` and `keyring:` stand for."""
    for prefix in (COMMAND, KEYRING):
        if value.startswith(prefix):
            message = (
                f"{variable} begins with {prefix}, which means something in credentials.toml only"
            )
            raise ConfigError(message, hint="Store it there with kosmo accounts:add.")
    return value


def _nobody(group: int | None, running: bool) -> None:  # noqa: FBT001  # as Tell
    """Tell nobody of a process."""


def _addition(integration: "Integration[Any]", account: str) -> str:
    """Say what adds an account; a name that a command would refuse is written as its variables write it."""
    name = in_variable(account)
    command = f"kosmo accounts:add {integration.name}"
    command = f"run {command} {account if NAME.fullmatch(account) else name}"
    if f"{name}__".partition("__")[0] != name:  # its variables would be those of another account
        return command
    fields = "/".join(field.upper() for field in integration.credentials.model_fields)
    return f"set KOSMO_{integration.name.upper()}__{name.upper()}__... ({fields}), or {command}"


def emulated(integration: "Integration[Any]", url: str) -> dict[str, str]:
    """Return the settings under which an integration talks to its emulator at `url`."""
    emulation = integration.emulation
    if emulation is None:
        message = f"{integration.title} has no emulator"
        raise ConfigError(message, hint="Run the workflow without --emulator.")
    return {**emulation.settings, **dict.fromkeys(emulation.urls, url)}
