"""Readiness: which settings of an account are there, what is missing, what to do next. No value is shown."""

from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from kosmo_lua.accounts import DEFAULT, Accounts
from kosmo_lua.answers import (
    AccountState,
    Diagnoses,
    Diagnosis,
    Fields,
    Permissions,
    ProviderState,
    Setting,
    Status,
)
from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import KosmoError
from kosmo_lua.policy import Policy
from kosmo_lua.results import Access

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Integration


class Readiness:
    """Says of each integration and account how ready it is. Nothing is sent."""

    def __init__(self, catalog: Catalog, accounts: Accounts, policy: Policy) -> None:
        self._catalog = catalog
        self._accounts = accounts
        self._policy = policy

    def status(self) -> Status:
        """Say in brief which integrations are configured, and their accounts."""
        return Status(
            {
                each.name: ProviderState(
                    active=True,
                    configured=is_configured(each, self._accounts),
                    accounts=tuple(self._accounts.names(each.name)),
                    functions=len(each.functions),
                )
                for each in self._catalog.integrations.values()
            }
        )

    def doctor(self, provider: str | None = None) -> Diagnoses:
        """Say what is missing of an integration, or of each, and which command mends it.

        Raises:
            UnknownIntegration: names the nearest ones.
        """
        known = self._catalog.integrations
        chosen = known.values() if provider is None else [self._catalog.integration(provider)]
        return Diagnoses({each.name: self._diagnosis(each) for each in chosen})

    def fields(self, provider: str, account: str = DEFAULT) -> Fields:
        """List the settings of an account, which need not exist yet, and whether each is set.

        Raises:
            UnknownIntegration: names the nearest ones.
        """
        integration = self._catalog.integration(provider)
        account = self._accounts.named(provider, account)
        settings = tuple(
            Setting(
                key=key,
                label=key.replace("_", " ").capitalize(),
                type=_type(field.annotation, field.metadata),
                required=field.is_required(),
                configured=bool(self._accounts.source(integration, account, key)),
                source=self._source(integration, account, key),
                description=field.description or "",
                variables=tuple(self._accounts.variables(integration, account, key)),
            )
            for key, field in integration.credentials.model_fields.items()
        )
        first = next((s for s in settings if s.type == "secret"), None)
        example = f"export {first.variables[0]}=..." if first else ""
        names = tuple(self._accounts.names(provider))
        return Fields(provider, account, names, settings, example)

    def _diagnosis(self, integration: "Integration[Any]") -> Diagnosis:
        name = integration.name
        accounts = tuple(self._state(integration, each) for each in self._accounts.names(name))
        missing = next(each.missing for each in accounts if each.account == DEFAULT)
        functions = [function.full_name for function in integration.functions.values()]
        diagnosis = Diagnosis(
            active=True,
            configured=is_configured(integration, self._accounts),
            missing_credentials=missing,
            accounts=accounts,
            permissions=Permissions(self._decision(name, "read"), self._decision(name, "write")),
            function_count=len(functions),
            example_functions=tuple(functions[:5]),
            next_commands=(),
        )
        return diagnosis._replace(next_commands=tuple(self._next(integration, diagnosis)))

    def _state(self, integration: "Integration[Any]", account: str) -> AccountState:
        source, keys = self._accounts.source, secrets(integration)
        missing = tuple(key for key in keys if not source(integration, account, key))
        problem = None
        try:
            self._accounts.load(integration, account)
        except KosmoError as error:
            problem = error.message
        return AccountState(account, not keys or len(missing) < len(keys), missing, problem)

    def _source(self, integration: "Integration[Any]", account: str, key: str) -> str | None:
        source = self._accounts.source(integration, account, key)
        return source.name if source else None

    def _decision(self, integration: str, access: Access) -> str:
        try:
            return self._policy.decision(integration, access)
        except KosmoError as error:
            return error.message

    def _next(self, integration: "Integration[Any]", found: Diagnosis) -> list[str]:
        """Return the commands that mend what is missing, or else those that go on."""
        name = integration.name
        exports = [
            f"export {self._accounts.variables(integration, DEFAULT, key)[0]}=..."
            for key in found.missing_credentials
        ]
        tests = [
            f"kosmo integrations:test {name}"
            + (f" --account {each.account}" if each.account != DEFAULT else "")
            for each in found.accounts
            if each.configured
        ]
        allow = (
            [f"export KOSMO_{name.upper()}_WRITE=allow"]
            if found.permissions.write == "ask"
            else []
        )
        return [*exports, *tests, *allow, f"kosmo integrations:docs {name}"]


def secrets(integration: "Integration[Any]") -> list[str]:
    """Return the names of the settings that are keys or tokens."""
    fields = integration.credentials.model_fields.items()
    return [key for key, field in fields if _type(field.annotation, []) == "secret"]


def is_configured(integration: "Integration[Any]", accounts: Accounts) -> bool:
    """Whether one of its accounts has a credential, or it needs none."""
    keys, names = secrets(integration), accounts.names(integration.name)
    return not keys or any(
        accounts.source(integration, name, key) for name in names for key in keys
    )


def _type(annotation: object, metadata: list[Any]) -> str:
    """Return what a setting is: `secret`, `url`, its choices such as `us|eu`, or `text`."""
    from kosmo_lua.integration import Origin, SecretStr  # noqa: PLC0415  # loaded with the integration, not before

    inside = (annotation, *get_args(annotation))
    if SecretStr in inside:
        return "secret"
    if Origin in inside or any(each in metadata for each in get_args(Origin)[1:]):
        return "url"
    choices = [each for each in inside if get_origin(each) is Literal]
    return "|".join(map(str, get_args(choices[0]))) if choices else "text"
