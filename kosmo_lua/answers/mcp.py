"""MCP servers as they are configured: the answers of `mcp:list`, of changes, and of `mcp:secret:*`."""

from typing import NamedTuple

from kosmo_lua.answers.readiness import Permissions
from kosmo_lua.values import JsonObject


class ServerEntry(NamedTuple):
    """A server in a list: of `env` and `headers` the names, never a value."""

    name: str
    alias: str
    type: str
    enabled: bool
    source: str
    """`project` or `global`."""
    path: str
    command: str | None
    args: tuple[str, ...]
    cwd: str | None
    env: tuple[str, ...]
    url: str | None
    headers: tuple[str, ...]
    timeout: float
    trust: str
    """`own`, `trusted`, `changed` or `untrusted`."""
    permissions: Permissions


class ServerList(NamedTuple):
    """What `mcp:list` shows."""

    servers: tuple[ServerEntry, ...]


class ServerChange(NamedTuple):
    """How things are with a server after a change; after its removal the last three are null."""

    server: str
    alias: str
    scope: str
    path: str
    enabled: bool | None
    trust: str | None
    permissions: Permissions | None


class ServerImport(NamedTuple):
    """What `mcp:import` has done with each server; the skipped ones are named in the warnings."""

    source: str
    scope: str
    path: str
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    skipped: tuple[str, ...]


class ServerExport(NamedTuple):
    """What `mcp:export` has written: to a file, or as `document`."""

    format: str
    path: str | None
    servers: tuple[str, ...]
    document: JsonObject


class SecretEntry(NamedTuple):
    """A stored secret: its key, and whether its value is in the `file`, of a `command`, in the `keyring`."""

    key: str
    stored: str


class SecretList(NamedTuple):
    """What `mcp:secret:list` shows."""

    server: str
    secrets: tuple[SecretEntry, ...]


class SecretChange(NamedTuple):
    """What `mcp:secret:set` and `mcp:secret:unset` have done, and how a definition refers to the secret."""

    server: str
    key: str
    path: str
    reference: str
