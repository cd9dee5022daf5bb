"""Clients: one for each account that calls are made with, and what their errors may say."""

from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import Accounts
from kosmo_lua.catalog import Target
from kosmo_lua.errors import Defect, KosmoError
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from kosmo_lua.http import Api
    from kosmo_lua.journal import Record


class Clients:
    """The clients of the accounts. The first call of an account makes its client, with its credentials."""

    def __init__(self, accounts: Accounts, record: "Record") -> None:
        self._accounts = accounts
        self._record = record
        self._apis: dict[tuple[str, str], Api[Any]] = {}
        self._found: set[tuple[str, str]] = set()

    def find(self, target: Target) -> None:
        """Return when there is the target's account.

        Raises:
            UnknownAccount: there is none of that name.
            ConfigError: there are two.
        """
        if _key(target) not in self._found:
            self._accounts.find(target.integration, target.account)
            self._found.add(_key(target))

    def of(self, target: Target) -> "Api[Any]":
        """Return the client of the target's account, which has what the target's function needs.

        Raises:
            CredentialsMissing, ConfigError: it lacks a credential, or a setting cannot be used.
        """
        api = self._loaded(target)
        self._accounts.require(target, api.credentials)
        return api

    def _loaded(self, target: Target) -> "Api[Any]":
        key = _key(target)
        if key not in self._apis:
            credentials = self._accounts.load(target.integration, target.account, self._tell)
            self._apis[key] = target.integration.api(credentials)
        return self._apis[key]

    def _tell(self, group: int | None, running: bool) -> None:  # noqa: FBT001  # as accounts tells it
        self._record(["process", group, running])

    def masked(self, value: JsonObject, target: Target | None = None) -> JsonObject:
        """Return facts about calls, without a secret of any account that was used, or of the target's.

        Raises:
            KosmoError: the account's own secrets cannot be loaded.
        """
        if target:
            self._loaded(target)
        for api in self._apis.values():
            hidden = api.masked(value)
            assert isinstance(hidden, dict), "it is what it was"
            value = hidden
        return value

    def blamed(self, target: Target, name: str, error: BaseException) -> KosmoError:
        """Say in an error which function failed, what to check, and never a secret."""
        known = _known(error)
        api = self._apis.get(_key(target))
        if api:
            known.message = api.conceal(known.message)
            known.hint = api.conceal(known.hint) if known.hint else None
        known.function = name
        known.message = f"{name}: {known.message}"
        if known.status in (401, 403) and target.function.credential:
            setting = (target.integration, target.account, target.function.credential)
            source = self._accounts.source(*setting)
            variable = source.name if source else self._accounts.variables(*setting)[0]
            where = f"{variable} and the region of the account {target.account}"
            known.hint = f"Check {where}.{f' {known.hint}' if known.hint else ''}"
        return known

    def close(self) -> None:
        """Close every connection."""
        for api in self._apis.values():
            api.close()


def _key(target: Target) -> tuple[str, str]:
    return target.integration.name, target.account


def _known(error: BaseException) -> KosmoError:
    if isinstance(error, KosmoError):
        return error
    message = f"a defect of the integration, {type(error).__name__}: {error}"
    return Defect(message, hint="Please report it to the authors of the integration.")
