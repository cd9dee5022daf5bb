"""Answers: what the commands that look something up give back, as records, and their JSON envelopes.

An envelope is of the family of `Result`: `schema_version`, `success`, then the fields of its record (null
when the command failed), then `error`, `error_info`, `warnings`.
"""

from typing import TYPE_CHECKING, Any

from kosmo_lua.answers.accounts import (
    AccountChange,
    AccountDetails,
    AccountEntry,
    Accounts,
    AuditLog,
    Candidate,
    Explanation,
    SettingEntry,
)
from kosmo_lua.answers.answer import Answer
from kosmo_lua.answers.catalog import (
    Example,
    Examples,
    Found,
    FunctionEntry,
    FunctionSchema,
    Listing,
    Page,
    PageEntry,
    Provider,
)
from kosmo_lua.answers.gateway import ClientConfig, Installed, Serving
from kosmo_lua.answers.mcp import (
    SecretChange,
    SecretEntry,
    SecretList,
    ServerChange,
    ServerEntry,
    ServerExport,
    ServerImport,
    ServerList,
)
from kosmo_lua.answers.readiness import (
    AccountState,
    Check,
    Checked,
    Configured,
    Diagnoses,
    Diagnosis,
    Fields,
    Permissions,
    ProviderState,
    Setting,
    Status,
)
from kosmo_lua.answers.servers import (
    ServerDiagnoses,
    ServerDiagnosis,
    ServerState,
    ServerStates,
    ServerTools,
    ToolList,
)

if TYPE_CHECKING:  # only named here
    from collections.abc import Mapping

__all__ = [
    "SHAPES",
    "AccountChange",
    "AccountDetails",
    "AccountEntry",
    "AccountState",
    "Accounts",
    "Answer",
    "AuditLog",
    "Candidate",
    "Check",
    "Checked",
    "ClientConfig",
    "Configured",
    "Diagnoses",
    "Diagnosis",
    "Example",
    "Examples",
    "Explanation",
    "Fields",
    "Found",
    "FunctionEntry",
    "FunctionSchema",
    "Installed",
    "Listing",
    "Page",
    "PageEntry",
    "Permissions",
    "Provider",
    "ProviderState",
    "SecretChange",
    "SecretEntry",
    "SecretList",
    "ServerChange",
    "ServerDiagnoses",
    "ServerDiagnosis",
    "ServerEntry",
    "ServerExport",
    "ServerImport",
    "ServerList",
    "ServerState",
    "ServerStates",
    "ServerTools",
    "Serving",
    "Setting",
    "SettingEntry",
    "Status",
    "ToolList",
]

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
    "mcp:serve": Serving,
    "mcp:gateway:export": ClientConfig,
    "mcp:gateway:install": Installed,
    "audit": AuditLog,
    "mcp:status": ServerStates,
    "mcp:doctor": ServerDiagnoses,
    "mcp:tools": ToolList,
    "mcp:schema": FunctionSchema,
    "mcp:list": ServerList,
    "mcp:add": ServerChange,
    "mcp:remove": ServerChange,
    "mcp:enable": ServerChange,
    "mcp:disable": ServerChange,
    "mcp:trust": ServerChange,
    "mcp:untrust": ServerChange,
    "mcp:import": ServerImport,
    "mcp:export": ServerExport,
    "mcp:secret:set": SecretChange,
    "mcp:secret:list": SecretList,
    "mcp:secret:unset": SecretChange,
}
"""Each command whose envelope is an Answer, and the record in it."""
