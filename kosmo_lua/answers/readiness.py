"""What is configured: the answers of `integrations:status`, `doctor`, `fields`, `test` and `configure`."""

from typing import Literal, NamedTuple


class AccountState(NamedTuple):
    """What an account has. `missing`: the credentials that it does not have; `problem`: what is wrong."""

    account: str
    configured: bool
    missing: tuple[str, ...]
    problem: str | None


class ProviderState(NamedTuple):
    """An integration in brief."""

    active: bool
    configured: bool
    accounts: tuple[str, ...]
    functions: int


class Status(NamedTuple):
    """What `integrations:status` shows."""

    providers: dict[str, ProviderState]


class Permissions(NamedTuple):
    """What the policy says of reads and of writes: allow, ask or deny."""

    read: str
    write: str


class Diagnosis(NamedTuple):
    """What is there of an integration, what is missing, and the commands that mend it or go on."""

    active: bool
    configured: bool
    missing_credentials: tuple[str, ...]
    accounts: tuple[AccountState, ...]
    permissions: Permissions
    function_count: int
    example_functions: tuple[str, ...]
    next_commands: tuple[str, ...]


class Diagnoses(NamedTuple):
    """What `integrations:doctor` found."""

    providers: dict[str, Diagnosis]


class Setting(NamedTuple):
    """A setting of an account, without its value. `source`: the variable that it comes from, if it is set."""

    key: str
    label: str
    type: str
    required: bool
    configured: bool
    source: str | None
    description: str
    variables: tuple[str, ...]


class Fields(NamedTuple):
    """The settings of an account; `example` sets the first secret."""

    provider: str
    account: str
    accounts: tuple[str, ...]
    fields: tuple[Setting, ...]
    example: str


class Check(NamedTuple):
    """The check of one credential: `works`, `failed`, `missing` or `unchecked`, and a sentence about it."""

    key: str
    state: Literal["works", "failed", "missing", "unchecked"]
    message: str


class Checked(NamedTuple):
    """What `integrations:test` found out."""

    provider: str
    account: str
    checks: tuple[Check, ...]


class Configured(NamedTuple):
    """What `integrations:configure` has changed, and how things are then. No value is ever shown."""

    provider: str
    account: str
    scope: str
    """`global`, the user's files, or `project`."""
    path: str
    credentials_set: tuple[str, ...]
    credentials_unset: tuple[str, ...]
    enabled: bool
    permissions: Permissions
