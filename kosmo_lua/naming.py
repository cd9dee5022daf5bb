"""Naming: what the configuration names must be there, or a rule that denies would deny nothing."""

from collections.abc import Iterable

from kosmo_lua.catalog import Catalog
from kosmo_lua.config import USER, Config
from kosmo_lua.errors import ConfigError
from kosmo_lua.suggestions import nearest

_ALIKE = 0.8
"""How much a name is like another one that was meant; what is less alike may be installed elsewhere."""


def check_names(config: Config, catalog: Catalog) -> None:
    """Return when the rules name functions that there are.

    Integrations may be installed on one machine and not on the other, so only one with almost the name of
    an installed one is a mistake.

    Raises:
        ConfigError: a rule is about nothing; says what may have been meant.
    """
    for name in config.integrations():
        _check_integration(name, catalog, f"{config.path(USER)}: integrations.{name}")
    for rule, _ in config.rules():
        if rule.integration is None:
            continue
        where = f"{rule.source}: the rule {rule.pattern}"
        _check_integration(rule.integration, catalog, where)
        if rule.what not in ("*", "read", "write") and rule.integration in catalog.integrations:
            functions = catalog.integrations[rule.integration].functions.values()
            known = [spelling for function in functions for spelling in function.spellings]
            if rule.what not in known:
                raise _nothing(where, rule.what, known)


def _check_integration(name: str, catalog: Catalog, where: str) -> None:
    known = catalog.names
    if name not in known and nearest(name, known, like=_ALIKE):
        raise _nothing(where, name, known)


def _nothing(where: str, name: str, known: Iterable[str]) -> ConfigError:
    near = nearest(name, known)
    suggestion = f" Did you mean: {', '.join(near)}?" if near else ""
    return ConfigError(f"{where} is about nothing: there is no {name}.{suggestion}")
