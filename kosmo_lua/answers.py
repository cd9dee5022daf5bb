"""Answers: what the commands that look something up give back, as records, and their JSON envelopes.

An envelope is of the family of `Result`: `schema_version`, `success`, then the fields of its record (null
when the command failed), then `error`, `error_info`, `warnings`.
"""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kosmo_lua.results import Access, ErrorInfo, exit_status, plain, to_text
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # only named here
    from collections.abc import Mapping


class FunctionEntry(NamedTuple):
    """A function in a list."""

    function: str
    access: Access
    summary: str


class PageEntry(NamedTuple):
    """A page of the docs in a list."""

    page: str
    title: str


class Provider(NamedTuple):
    """An integration in a list. `configured`: one of its accounts has a credential."""

    title: str
    summary: str
    active: bool
    configured: bool
    functions: tuple[FunctionEntry, ...]


class Listing(NamedTuple):
    """What `integrations:list` shows."""

    providers: dict[str, Provider]


class Found(NamedTuple):
    """What `integrations:search` found: functions, and the other pages that contain the words; best first."""

    query: str
    functions: tuple[FunctionEntry, ...]
    pages: tuple[PageEntry, ...]


class Page(NamedTuple):
    """A page of the docs, as Markdown."""

    page: str
    title: str
    markdown: str


class FunctionSchema(NamedTuple):
    """The JSON Schema of a function's parameters."""

    function: str
    schema: JsonObject


class Example(NamedTuple):
    """How a function is called, from Lua and from a shell."""

    function: str
    lua: str
    command: str


class Examples(NamedTuple):
    """The examples of an integration, or of a function."""

    page: str
    examples: tuple[Example, ...]


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


class Answer(NamedTuple):
    """The outcome of a command that looks something up: a record of the type `shape`, or an error."""

    shape: type[Any]
    facts: Any = None
    error: str | None = None
    error_info: ErrorInfo | None = None
    warnings: tuple[str, ...] = ()

    @property
    def success(self) -> bool:
        """Whether there is no error."""
        return self.error is None

    @property
    def exit_status(self) -> int:
        """The exit status of the `kosmo` command for this answer."""
        return exit_status(self.error_info)

    def to_dict(self) -> JsonObject:
        """Return the envelope as plain values, in the order in which it is printed."""
        facts = {name: _plain(getattr(self.facts, name, None)) for name in self.shape._fields}
        rest = {name: plain(getattr(self, name)) for name in ("error", "error_info", "warnings")}
        return {"schema_version": 1, "success": self.success, **facts, **rest}

    def to_json(self) -> str:
        """Return the envelope as one JSON document."""
        return to_text(self.to_dict())


def _plain(value: Any) -> Json:  # noqa: ANN401  # a field of a record
    """Return a field as JSON; it may be a dict of records."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return plain(value)


SHAPES: "Mapping[str, type[Any]]" = {
    "integrations:list": Listing,
    "integrations:search": Found,
    "integrations:docs": Page,
    "integrations:schema": FunctionSchema,
    "integrations:examples": Examples,
    "integrations:status": Status,
    "integrations:doctor": Diagnoses,
    "integrations:fields": Fields,
    "integrations:test": Checked,
    "integrations:configure": Configured,
    "accounts:list": Accounts,
    "accounts:show": AccountDetails,
    "accounts:add": AccountChange,
    "accounts:remove": AccountChange,
    "config:explain": Explanation,
    "audit": AuditLog,
}
"""Each command whose envelope is an Answer, and the record in it."""
