"""Checking: whether the credentials of an account work, found out with requests that only read."""

from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import Accounts
from kosmo_lua.answers import Answer, Check, Checked
from kosmo_lua.calls import Calls
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.endings import failed
from kosmo_lua.errors import CredentialsMissing, KosmoError
from kosmo_lua.readiness import secrets

if TYPE_CHECKING:  # only named here
    from kosmo_lua.integration import Integration

_UNDECLARED = "the integration declares no check for it."


def check_account(
    catalog: Catalog, accounts: Accounts, calls: Calls, provider: str, account: str
) -> Answer:
    """Check each credential of an account. The answer is a `Checked`, with the first error if there is any.

    Raises:
        KosmoError: there is no such integration or account, or a setting cannot be used.
    """
    integration = catalog.integration(provider)
    account = accounts.find(integration, account)
    accounts.load(integration, account)
    checks, errors = [], []
    for key in secrets(integration):
        try:
            checks.append(_check(integration, accounts, calls, account, key))
        except KosmoError as error:
            checks.append(Check(key, "failed", error.message))
            errors.append(error)
    if checks and all(check.state == "missing" for check in checks):
        words = " and no ".join(check.key.replace("_", " ") for check in checks)
        message = f"the account {account} of {integration.title} has no {words}"
        hint = f"kosmo integrations:doctor {provider} says what to set."
        errors.append(CredentialsMissing(message, hint=hint))
    facts = Checked(provider, account, tuple(checks))
    if not errors:
        return Answer(Checked, facts)
    ending = failed(errors[0])
    return Answer(Checked, facts, ending.error, ending.info)


def _check(
    integration: "Integration[Any]", accounts: Accounts, calls: Calls, account: str, key: str
) -> Check:
    if not accounts.source(integration, account, key):
        return Check(
            key, "missing", f"{accounts.variables(integration, account, key)[0]} is not set."
        )
    if key in integration.checks:
        target = Target(integration, integration.checks[key], account)
        return Check(key, "works", str(calls.perform(calls.begin(target, {}))))
    extra = integration.credentials.model_fields[key].json_schema_extra
    reason = extra.get("unchecked") if isinstance(extra, dict) else None
    return Check(key, "unchecked", str(reason or _UNDECLARED))
