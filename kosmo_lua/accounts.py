"""Accounts: which named sets of credentials there are, and what they hold.

For now they come from the environment: `KOSMO_SEGMENT_WRITE_KEY` for the default account,
`KOSMO_SEGMENT__WORK__WRITE_KEY` for the account `work`, and the vendor's own names for the default.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import ConfigError, CredentialsMissing, UnknownAccount

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.catalog import Target
    from kosmo_lua.integration import Credentials, Integration

DEFAULT = "default"


class Accounts:
    """The accounts of every integration, in an environment.

    On the emulator (`emulator_url`) every account name is known, and all have the emulator's credentials.
    """

    def __init__(self, environ: Mapping[str, str], *, emulator_url: str | None = None) -> None:
        self._environ = environ
        self._emulator_url = emulator_url

    def names(self, integration: str) -> list[str]:
        """Return the names of an integration's accounts, `default` first."""
        prefix = f"KOSMO_{integration.upper()}__"
        found = {
            key.removeprefix(prefix).partition("__")[0].lower()
            for key, value in self._environ.items()
            if key.startswith(prefix) and value
        }
        return [DEFAULT, *sorted(found - {DEFAULT})]

    def find(self, integration: "Integration[Any]", account: str) -> None:
        """Return when there is such an account.

        Raises:
            UnknownAccount: no variable belongs to it; names the nearest ones.
        """
        if not self._emulator_url and account not in self.names(integration.name):
            raise self._unknown(integration, account)

    def load(self, integration: "Integration[Any]", account: str) -> "Credentials":
        """Return the credentials of an account that was found, checked.

        Raises:
            ConfigError: a setting cannot be used, or is not one of the integration's.
        """
        if self._emulator_url:
            return integration.credentials(**emulated(integration, self._emulator_url))
        self._refuse_unknown_settings(integration, account)
        values, sources = {}, {}
        for setting in integration.credentials.model_fields:
            if variable := self.source(integration, account, setting):
                values[setting] = self._environ[variable].strip()
                sources[setting] = variable
        return _checked(integration, values, sources)

    def source(self, integration: "Integration[Any]", account: str, setting: str) -> str | None:
        """Return where the value of a setting comes from: the variable that wins, if any is set."""
        if self._emulator_url:
            return "the emulator" if setting in emulated(integration, "") else None
        variables = self.variables(integration, account, setting)
        return next((name for name in variables if self._environ.get(name, "").strip()), None)

    def variables(self, integration: "Integration[Any]", account: str, setting: str) -> list[str]:
        """Return the environment variables that may hold a setting, the one that wins first."""
        kosmo = f"KOSMO_{integration.name}"
        names = [setting, *_declared(integration, setting, "aliases")]
        if account != DEFAULT:
            return [f"{kosmo}__{account}__{name}".upper() for name in names]
        places = ("_", f"__{DEFAULT}__")
        own = [f"{kosmo}{place}{name}".upper() for name in names for place in places]
        return [*own, *_declared(integration, setting, "env")]

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
            hint = f"Set {variable}, or try the workflow with --emulator."
            raise CredentialsMissing(message, hint=hint)

    def _unknown(self, integration: "Integration[Any]", account: str) -> UnknownAccount:
        known = self.names(integration.name)
        near = get_close_matches(account, known, n=3, cutoff=0.5)
        variable = f"KOSMO_{integration.name}__{account}__".upper()
        fields = "/".join(name.upper() for name in integration.credentials.model_fields)
        message = f"unknown account {account} of {integration.title}. "
        message += (
            f"Did you mean: {', '.join(near)}?" if near else f"Configured: {', '.join(known)}."
        )
        return UnknownAccount(message, hint=f"To add it, set {variable}... ({fields}).")

    def _refuse_unknown_settings(self, integration: "Integration[Any]", account: str) -> None:
        prefix = f"KOSMO_{integration.name}__{account}__".upper()
        known = [
            name.upper()
            for setting in integration.credentials.model_fields
            for name in (setting, *_declared(integration, setting, "aliases"))
        ]
        for variable in self._environ:
            name = variable.removeprefix(prefix)
            if variable.startswith(prefix) and name not in known:
                near = get_close_matches(name, known, n=1)
                fix = f"did you mean {prefix}{near[0]}?" if near else f"use {', '.join(known)}"
                message = f"{variable} is not a setting of {integration.title}: {fix}"
                raise ConfigError(message)


def emulated(integration: "Integration[Any]", url: str) -> dict[str, str]:
    """Return the settings under which an integration talks to its emulator at `url`."""
    emulation = integration.emulation
    if emulation is None:
        message = f"{integration.title} has no emulator"
        raise ConfigError(message, hint="Run the workflow without --emulator.")
    return {**emulation.settings, **dict.fromkeys(emulation.urls, url)}


def _declared(integration: "Integration[Any]", setting: str, kind: str) -> list[str]:
    """Return the other names of a setting: the vendor's variables (`env`) or `aliases`."""
    extra = integration.credentials.model_fields[setting].json_schema_extra
    names = extra.get(kind) if isinstance(extra, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def _checked(
    integration: "Integration[Any]", values: dict[str, str], sources: dict[str, str]
) -> "Credentials":
    from pydantic import ValidationError  # noqa: PLC0415  # loaded with the integration, not before

    for setting, value in values.items():
        if not (value.isascii() and value.isprintable()):
            message = f"{sources[setting]} contains characters that no key or address has"
            raise ConfigError(message, hint="Copy it again, without quotes or line breaks.")
    try:
        return integration.credentials(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        words = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        name = str(problem["loc"][0])
        message = f"{sources[name]} {words[:1].lower()}{words[1:]}"
        raise ConfigError(message) from None
