"""Administration: what `accounts:*`, `config:explain` and `integrations:configure` answer."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import DEFAULT
from kosmo_lua.accounts import Accounts as Store
from kosmo_lua.answers import (
    AccountDetails,
    AccountEntry,
    Accounts,
    Candidate,
    Explanation,
    Permissions,
    SettingEntry,
)
from kosmo_lua.catalog import Catalog
from kosmo_lua.config import Config
from kosmo_lua.errors import ConfigError, UsageError
from kosmo_lua.lua.limits import Limits
from kosmo_lua.policy import Policy
from kosmo_lua.settings import spelled
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import HIDDEN

if TYPE_CHECKING:
    from kosmo_lua.integration import Integration

_KEYS = (
    "segment.production.write_key, limits.cpu, policy.segment.track_event, integrations.segment.enabled"
    " and allow_force"
)


class Administration:
    """Tells what the environment and the files say, and what of it counts. No secret is ever shown."""

    def __init__(self, catalog: Catalog, config: Config, environ: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._config = config
        self._environ = environ
        self._store = Store(environ, config=config)

    def accounts(self, provider: str | None = None) -> Accounts:
        """Return the accounts of an integration, or of all."""
        names = [provider] if provider else [*self._catalog.integrations]
        return Accounts(
            tuple(
                AccountEntry(name, account, account in self._config.accounts(name), settings)
                for name in names
                for account in self._store.names(name)
                if (settings := self._set(self._catalog.integration(name), account))
            )
        )

    def problems(self) -> list[str]:
        """Return what is stored and cannot be used."""
        path, found = self._config.credentials.path, []
        for name in self._config.credentials.values:
            if name == "mcp":  # the secrets of MCP servers, which are no integration
                continue
            if name not in self._catalog.integrations:
                near = nearest(name, self._catalog.integrations, most=1)
                fix = f": did you mean {near[0]}?" if near else ""
                found.append(f"{path}: {name} is not installed{fix}")
                continue
            functions = self._catalog.integrations[name].functions.values()
            taken = {spelling for function in functions for spelling in function.spellings}
            found += [
                f"{path}: the account {account} has the name of a function of {name}"
                for account in self._config.accounts(name)
                if account in taken
            ]
            found += self._twins(self._catalog.integrations[name])
        return found

    def _twins(self, integration: "Integration[Any]") -> list[str]:
        """Say which stored accounts have the name of another one, in another spelling."""
        found = []
        for account in self._config.accounts(integration.name):
            try:
                self._store.find(integration, account)
            except ConfigError as error:
                found.append(f"{self._config.credentials.path}: {error.message}")
        return [*dict.fromkeys(found)]

    def _set(self, integration: "Integration[Any]", account: str) -> tuple[str, ...]:
        settings = integration.credentials.model_fields
        return tuple(each for each in settings if self._store.source(integration, account, each))

    def account(self, provider: str, account: str) -> AccountDetails:
        """Return the settings of an account.

        Raises:
            UnknownAccount: there is none of that name.
        """
        integration = self._catalog.integration(provider)
        account = self._store.find(integration, account)
        entries = []
        for setting in integration.credentials.model_fields:
            if source := self._store.source(integration, account, setting):
                value = HIDDEN if _is_secret(integration, setting) else str(source.value)
                entries.append(SettingEntry(setting, value, source.name))
        return AccountDetails(integration.name, account, tuple(entries))

    def permissions(self, provider: str, account: str = DEFAULT) -> Permissions:
        """Return what is decided for the reads and the writes of an account of an integration."""
        policy = Policy(self._environ, config=self._config)
        read, write = (policy.decision(provider, each, account) for each in ("read", "write"))
        return Permissions(read, write)

    def explain(self, key: str) -> Explanation:
        """Return the value of a key, and every place that has one; the first that wins counts.

        Raises:
            UsageError: there is no such key.
        """
        kind, _, rest = key.partition(".")
        found = [*self._candidates(kind, rest, key)]
        winner = next((each for each in found if each.wins), None)
        value, source = (winner.value, winner.source) if winner else (None, None)
        return Explanation(key, value, source, tuple(found))

    def _candidates(self, kind: str, rest: str, key: str) -> Iterator[Candidate]:
        if kind == "limits" and rest in Limits._fields:
            return self._limit(rest)
        if kind == "policy" and rest:
            return self._policy(rest)
        if key == "allow_force":
            return self._force()
        parts = rest.split(".")
        if kind == "integrations" and len(parts) == 2 and parts[1] == "enabled":  # noqa: PLR2004  # name and key
            return self._enabled(parts[0])
        if kind in self._catalog.integrations and rest:
            *account, setting = parts
            return self._setting(kind, ".".join(account) or DEFAULT, setting)
        raise UsageError(f"there is no key {key}", hint=f"Keys are {_KEYS}.")

    def _limit(self, name: str) -> Iterator[Candidate]:
        default = getattr(Limits(), name)
        counts, wins = self._config.limit(name, None, default), False
        places = [(source.path, table[name]) for source, table in self._limits() if name in table]
        for source, value in [*reversed(places), ("default", default)]:
            is_first, wins = value == counts and not wins, wins or value == counts
            yield Candidate(source, str(value), wins=is_first)

    def _limits(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        for source in (self._config.user, self._config.project):
            yield source, source.values.get("limits", {})  # type: ignore[misc]  # it was checked

    def _policy(self, pattern: str) -> Iterator[Candidate]:
        """Explain what is decided for a function, or `segment.write`; `segment@work.track`: of an account."""
        provider, _, what = pattern.rpartition(".")
        provider, _, account = provider.partition("@")
        policy = Policy(self._environ, config=self._config)
        if what in ("read", "write"):
            if provider and provider.partition(".")[0] != "mcp":  # no server is contacted for this
                self._catalog.integration(provider)
            rules = policy.rules_of(provider, (), what, account or DEFAULT)  # type: ignore[arg-type]  # just tested
        else:
            function = self._catalog.resolve(f"{provider}.{what}").function
            rules = policy.rules_of(
                provider, function.spellings, function.access, account or DEFAULT
            )
        for rule, wins in rules:
            place = (
                f"{rule.pattern} in {rule.source}" if rule.pattern else rule.source or "default"
            )
            yield Candidate(place, rule.decision, wins=wins)

    def _force(self) -> Iterator[Candidate]:
        refused = False
        for source in (self._config.user, self._config.project):
            if "allow_force" in source.values:
                value = source.values["allow_force"]
                yield Candidate(
                    source.path, str(value).lower(), wins=value is False and not refused
                )
                refused = refused or value is False
        yield Candidate("default", "true", wins=not refused)

    def _enabled(self, name: str) -> Iterator[Candidate]:
        integration = self._catalog.integration(name)
        stored = integration.name in self._config.integrations()
        if stored:
            value = str(self._config.enabled(integration.name)).lower()
            yield Candidate(self._config.user.path, value, wins=True)
        yield Candidate("default", "true", wins=not stored)

    def _setting(self, provider: str, account: str, name: str) -> Iterator[Candidate]:
        integration = self._catalog.integration(provider)
        account, setting = self._store.named(provider, account), spelled(integration, name)
        for index, source in enumerate(self._store.sources(integration, account, setting)):
            value = HIDDEN if _is_secret(integration, setting) else str(source.value)
            yield Candidate(source.name, value, wins=index == 0)
        default = integration.credentials.model_fields[setting].default
        if default is not None:
            has_own = self._store.source(integration, account, setting) is not None
            yield Candidate("default", str(default), wins=not has_own)


def _is_secret(integration: "Integration[Any]", setting: str) -> bool:
    return integration.credentials.is_secret(setting)
