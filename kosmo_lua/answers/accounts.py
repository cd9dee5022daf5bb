"""What the files say: the answers of `accounts:*`, `config:explain` and `audit`."""

from typing import NamedTuple

from kosmo_lua.values import JsonObject


class AccountEntry(NamedTuple):
    """An account in a list: the names of its settings that are set."""

    provider: str
    account: str
    stored: bool
    settings: tuple[str, ...]


class Accounts(NamedTuple):
    """What `accounts:list` shows."""

    accounts: tuple[AccountEntry, ...]


class SettingEntry(NamedTuple):
    """A setting of an account: its value, `********` for a secret, and where it comes from."""

    setting: str
    value: str
    source: str


class AccountDetails(NamedTuple):
    """What `accounts:show` shows."""

    provider: str
    account: str
    settings: tuple[SettingEntry, ...]


class AccountChange(NamedTuple):
    """What `accounts:add` and `accounts:remove` have done."""

    provider: str
    account: str
    settings: tuple[str, ...]


class Candidate(NamedTuple):
    """A place that says something about a key, and what; a secret is `********`."""

    source: str
    value: str
    wins: bool


class Explanation(NamedTuple):
    """What `config:explain` shows: the value that counts, and every place that was looked at and has one."""

    key: str
    value: str | None
    source: str | None
    candidates: tuple[Candidate, ...]


class AuditLog(NamedTuple):
    """What `audit` shows: the calls, the oldest first."""

    path: str | None
    calls: tuple[JsonObject, ...]
