"""Naming: what the configuration names must be there, or a rule that denies would deny nothing."""

import re
from collections.abc import Iterable

from kosmo_lua.accounts import Accounts
from kosmo_lua.catalog import Catalog
from kosmo_lua.config import USER, Config
from kosmo_lua.config.policy_rules import Rule
from kosmo_lua.config.spelling import in_variable, same
from kosmo_lua.errors import ConfigError
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import MCP_PREFIX

_ALIKE = 0.8
"""How much a name is like another one that was meant; what is less alike may be installed elsewhere."""

_PART = re.compile(r"[a-z]+|[0-9]+")


def check_names(config: Config, catalog: Catalog, accounts: Accounts) -> None:
    """Return when the rules name functions and accounts that there are.

    Integrations may be installed, and accounts configured, on one machine and not on the other, so only one
    with almost the name of another is a mistake.

    Raises:
        ConfigError: a rule is about nothing; says what may have been meant.
    """
    for name in config.integrations():
        _check_integration(name, catalog, f"{config.path(USER)}: integrations.{name}")
    for rule, _ in config.rules():
        if rule.integration is None:
            continue
        where = _where(rule)
        _check_integration(rule.integration, catalog, where)
        if rule.what not in ("*", "read", "write") and rule.integration in catalog.integrations:
            functions = catalog.integrations[rule.integration].functions.values()
            known = [spelling for function in functions for spelling in function.spellings]
            if rule.what not in known:
                raise _nothing(where, rule.what, nearest(rule.what, known))
        check_account(rule, accounts)


def check_account(rule: Rule, accounts: Accounts) -> None:
    """Return when the account that a rule names is there, or may be on another machine.

    Raises:
        ConfigError: it has almost the name of one that is there.
    """
    if rule.integration is None or rule.account is None:
        return
    if f"{rule.integration}.".startswith(MCP_PREFIX):
        hint = f'Write "{rule.integration}.{rule.what}".'
        raise ConfigError(
            f"{_where(rule)} is about nothing: MCP servers have no accounts", hint=hint
        )
    known = accounts.names(rule.integration)
    near = [name for name in known if _is_almost(rule.account, name)]
    if near and not same(rule.account, known):
        error = _nothing(_where(rule), f"account {rule.account} of {rule.integration}", near)
        command = f"kosmo accounts:add {rule.integration} {rule.account}"
        error.hint = f"Correct the rule; or, if it is another account, add that: {command}"
        raise error


def _check_integration(name: str, catalog: Catalog, where: str) -> None:
    known = catalog.names
    if name not in known and (near := nearest(name, known, like=_ALIKE)):
        raise _nothing(where, name, near)


def _is_almost(account: str, other: str) -> bool:
    """Whether the name of an account is another one, misspelt: in a word of several letters, or in its signs.

    `eu-prod` and `us-prod`, `client1` and `client2` are alike as a whole, and are names of two accounts.
    """
    parts, others = (_PART.findall(in_variable(name)) for name in (account, other))
    if "".join(parts) == "".join(others):
        return bool(parts)
    return len(parts) == len(others) and all(
        part == each or (part.isalpha() and nearest(part, [each], like=_ALIKE))
        for part, each in zip(parts, others, strict=True)
    )


def _where(rule: Rule) -> str:
    return f"{rule.source}: the rule {rule.pattern}"


def _nothing(where: str, name: str, near: Iterable[str]) -> ConfigError:
    names = ", ".join(near)
    suggestion = f" Did you mean: {names}?" if names else ""
    return ConfigError(f"{where} is about nothing: there is no {name}.{suggestion}")
