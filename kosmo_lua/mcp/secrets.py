"""Secrets of MCP servers: stored as the accounts of an integration named mcp, in the user's credentials.toml.

[mcp.my-server]
TOKEN = "..."       or "cmd:..." or "keyring:", as every stored setting
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from kosmo_lua.config import COMMAND, CREDENTIALS, KEYRING, LOCK, Config
from kosmo_lua.config.files import change
from kosmo_lua.config.schema import check
from kosmo_lua.config.stored import (
    check_value,
    forget_in_keyring,
    keep_in_keyring,
)
from kosmo_lua.errors import ConfigError, UnknownAccount
from kosmo_lua.mcp.definitions import check_name, is_unicode
from kosmo_lua.mcp.documents import shown

if TYPE_CHECKING:
    from kosmo_lua.config.files import Document

STORE = "mcp"
"""The name below which credentials.toml has the secrets of MCP servers, as of an integration."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class Secrets:
    """Stores and forgets secrets; a definition refers to one as `@secret:mcp.SERVER.KEY`."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def kinds(self, server: str) -> dict[str, str]:
        """Return the keys that are stored for a server, and where each value is: file, command or keyring."""
        stored = self._config.accounts(STORE).get(server, {})
        return {key: _kind(value) for key, value in sorted(stored.items())}

    def store(self, server: str, key: str, value: str, *, keyring: bool = False) -> str:
        """Store a secret, and return the path of the file that now has it, or says where it is.

        Raises:
            ConfigError: it cannot be stored, or has no value.
            ExtraMissing: the keyring is not installed.
        """
        check_name(server)
        if not _KEY.fullmatch(key):
            message = f"{shown(key)} cannot be the key of a secret"
            raise ConfigError(message, hint="Use up to 64 letters, digits, _, - and .")
        value = value.strip()
        if not value or "\0" in value or value == KEYRING or not is_unicode(value):
            raise ConfigError(f"{key} of {server} has no value that can be stored")
        check_value(value, key)
        had = self._config.accounts(STORE).get(server, {}).get(key)
        if keyring and not value.startswith(COMMAND):
            keep_in_keyring(value, STORE, server, key)
            value = KEYRING

        def edit(document: "Document") -> None:
            servers = document.setdefault(STORE, {})
            if server in servers:
                servers[server][key] = value
            else:
                servers[server] = {key: value}

        path = self._change(edit)
        if had == KEYRING != value:
            forget_in_keyring(STORE, server, key)
        return path

    def forget(self, server: str, key: str) -> str:
        """Forget a secret, also in the keyring.

        Raises:
            UnknownAccount: none of that key is stored.
            ConfigError: the keyring does not let go of it; then nothing is removed.
        """
        stored = self._config.accounts(STORE).get(server, {})
        if key not in stored:
            known = ", ".join(stored) or "none"
            raise UnknownAccount(f"no secret {shown(key)} of {server} is stored. Stored: {known}.")
        if stored[key] == KEYRING:
            forget_in_keyring(STORE, server, key)

        def edit(document: "Document") -> None:
            servers = document.get(STORE, {})
            servers.get(server, {}).pop(key, None)
            if not servers.get(server, True):
                servers.pop(server)

        return self._change(edit)

    def _change(self, edit: Callable[["Document"], None]) -> str:
        path, lock = self._config.own_path(CREDENTIALS), self._config.own_path(LOCK)
        change(
            path,
            edit,
            check=lambda values: check(values, path, "credentials"),
            lock=lock,
            secret=True,
        )
        self._config.reread()
        return path


def _kind(value: object) -> str:
    if value == KEYRING:
        return "keyring"
    return "command" if str(value).startswith(COMMAND) else "file"
