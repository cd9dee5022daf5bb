"""What the files may say; anything else is a mistake that names the right key."""

import re

from kosmo_lua.config.policy_rules import Rule
from kosmo_lua.errors import ConfigError
from kosmo_lua.suggestions import nearest

LIMITS = ("cpu", "wall", "memory", "output", "result", "calls")

_TABLES = {
    "user": ("policy", "limits", "integrations", "mcp", "allow_force"),
    "project": ("policy", "limits", "allow_force"),
}

_NOT_HERE = ("accounts", "credentials", "integrations", "mcp")

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")


def check(values: dict[str, object], path: str, kind: str) -> dict[str, object]:
    """Return the values of a file, checked.

    Raises:
        ConfigError: an unknown key, a value of the wrong kind, or one that a project may not set.
    """
    if kind == "credentials":
        _check_accounts(values, path)
        return values
    for key in values:
        if kind == "project" and key in _NOT_HERE:
            message = f"{path}: a project cannot set {key}: it would come with every clone"
            command = "mcp:trust" if key == "mcp" else "integrations:configure without --project"
            raise ConfigError(message, hint=f"Use kosmo {command}.")
        _known(key, _TABLES[kind], path)
    if not isinstance(values.get("allow_force", True), bool):
        raise ConfigError(f"{path}: allow_force must be true or false")
    if kind == "project" and values.get("allow_force") is True:
        raise ConfigError(f"{path}: a project can only set allow_force = false")
    _check_limits(_table(values, "limits", path), path)
    _check_integrations(_table(values, "integrations", path), path)
    _check_policy(_table(values, "policy", path), path)
    _check_mcp(_table(values, "mcp", path), path)
    return values


def _table(values: dict[str, object], name: str, path: str) -> dict[str, object]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {name} must be a table, [{name}]")
    return table


def _check_accounts(values: dict[str, object], path: str) -> None:
    for name, accounts in values.items():
        if not isinstance(accounts, dict):
            raise ConfigError(f"{path}: {name} must be a table of accounts, [{name}.default]")
        for account, settings in accounts.items():
            if not isinstance(settings, dict):
                message = f"{path}: {name}.{account} is not an account"
                hint = f"Write the settings of an account below its name: [{name}.default]"
                raise ConfigError(message, hint=hint)


def _check_policy(policy: dict[str, object], path: str) -> None:
    for pattern, decision in policy.items():
        if isinstance(decision, dict):
            what = next(iter(decision), "write")
            message = f"{path}: a rule of the policy is written in quotes"
            raise ConfigError(message, hint=f'Write "{pattern}.{what}" = "ask".')
        Rule.of(pattern, decision, path)


def _known(key: str, known: tuple[str, ...], path: str, inside: str = "") -> None:
    if key not in known:
        near = nearest(key, known, most=1)
        fix = f"did you mean {near[0]}?" if near else f"use {', '.join(known)}"
        raise ConfigError(f"{path}: unknown key {inside}{key}: {fix}")


def _check_limits(limits: dict[str, object], path: str) -> None:
    for name, value in limits.items():
        _known(name, LIMITS, path, "limits.")
        kinds = int | float if name in ("cpu", "wall") else int
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):  # type: ignore[operator]  # it is a number
            what = "number" if name in ("cpu", "wall") else "whole number"
            raise ConfigError(f"{path}: limits.{name} must be a {what} above 0")


def _check_integrations(integrations: dict[str, object], path: str) -> None:
    for name, settings in integrations.items():
        if not isinstance(settings, dict):
            raise ConfigError(f"{path}: integrations.{name} must be a table")
        for key, value in settings.items():
            _known(key, ("enabled",), path, f"integrations.{name}.")
            if not isinstance(value, bool):
                raise ConfigError(f"{path}: integrations.{name}.enabled must be true or false")


def _check_mcp(mcp: dict[str, object], path: str) -> None:
    for key in mcp:
        _known(key, ("trust", "force_trust"), path, "mcp.")
    if not isinstance(mcp.get("force_trust", False), bool):
        raise ConfigError(f"{path}: mcp.force_trust must be true or false")
    trust = mcp.get("trust", {})
    if not isinstance(trust, dict):
        raise ConfigError(f"{path}: mcp.trust must be a table of projects")
    for root, servers in trust.items():
        if not isinstance(servers, dict):
            message = f"{path}: mcp.trust has a table for each project"
            raise ConfigError(message, hint=f'Write [mcp.trust."{root}"].')
        for name, value in servers.items():
            if not isinstance(value, str) or not _FINGERPRINT.fullmatch(value):
                message = f"{path}: mcp.trust of {name!r} is no fingerprint"
                raise ConfigError(message, hint="Remove the line, and run kosmo mcp:trust.")
