"""Spellings of the names of accounts: those that have the same variables are the same name."""

import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
"""What an account can be called that a command stores."""


def in_variable(account: str) -> str:
    """Spell the name of an account as a variable does, but for its capitals: `eu-prod` as eu_prod."""
    return re.sub(r"\W", "_", account, flags=re.ASCII).lower()


def same(account: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that are this one in some spelling; itself is the first, if it is there."""
    wanted = in_variable(account)
    found = [name for name in names if in_variable(name) == wanted]
    return sorted(found, key=lambda name: name != account)
