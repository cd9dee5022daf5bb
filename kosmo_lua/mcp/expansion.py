"""Expansion: the Endpoint that is left of a definition when its references are expanded."""

import os
from collections.abc import Mapping
from shlex import quote

from kosmo_lua.config import Config
from kosmo_lua.config.command import Tell
from kosmo_lua.config.stored import resolve
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.addresses import checked_url
from kosmo_lua.mcp.documents import shown
from kosmo_lua.mcp.references import Reference, failed, fields, parts_of
from kosmo_lua.mcp.secrets import STORE
from kosmo_lua.mcp.sensitive import is_sensitive, literals_of, literals_of_args
from kosmo_lua.mcp.server import Endpoint, Server

INHERITED = (
    "HOME",
    "KOSMO_GATEWAY",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "USER",
)
"""What a server that is started finds in its environment, besides what its definition says."""

_SHORTEST = 4
"""Characters of a secret that is looked for in what is shown; a shorter one would be found everywhere."""


class Expansion:
    """Expands the references of one server, and remembers which values nobody may see."""

    def __init__(
        self, server: Server, config: Config, environ: Mapping[str, str], tell: Tell
    ) -> None:
        self._server = server
        self._config = config
        self._environ = environ
        self._tell = tell
        self._secrets = set[str]()

    def endpoint(self) -> Endpoint:
        """Return what it takes to reach the server.

        Raises:
            ConfigError: something that is referred to is not there, or cannot be used.
        """
        server, base = self._server, self._base()
        values = {field: self._expand(field, text) for field, text in fields(server)}
        env = {name: values[f"env.{name}"] for name in server.env}
        headers = {name: values[f"headers.{name}"] for name in server.headers}
        args = [values[f"args[{at}]"] for at in range(len(server.args))]
        target = values.get("command") or values["url"]
        self._find_literals({**env, **headers}, [target, *args])
        inherited = {name: self._environ[name] for name in INHERITED if name in self._environ}
        cwd = os.path.join(base or "", values["cwd"]) if server.cwd else self._config.root
        return Endpoint(
            name=server.name,
            command=(self._program(values["command"], base), *args) if server.command else (),
            env={**inherited, **env} if server.command else {},
            cwd=cwd if server.command else None,
            url=self._address(values["url"]) if server.url else None,
            headers=self._checked(headers),
            timeout=server.timeout,
            secrets=tuple(sorted(self._secrets, key=lambda secret: (-len(secret), secret))),
        )

    def _base(self) -> str | None:
        """The folder that relative paths start from."""
        return self._server.project or self._config.folder

    @staticmethod
    def _program(command: str, base: str | None) -> str:
        if base is None or os.path.dirname(command) == "":
            return command  # the PATH has it
        return os.path.normpath(os.path.join(base, command))

    def _address(self, url: str) -> str:
        try:
            return checked_url(url)
        except ValueError as error:
            raise self._failed("url", str(error)) from None

    def _checked(self, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not value.isprintable() or not value.isascii():
                raise self._failed(f"headers.{name}", "has characters that no header may have")
        return headers

    def _expand(self, field: str, text: str) -> str:
        parts = parts_of(text, self._server, field)
        expanded = "".join(
            part if isinstance(part, str) else self._value(part, field) for part in parts
        )
        if "\0" in expanded:
            raise self._failed(field, "has a character that none may have")
        return expanded

    def _value(self, reference: Reference, field: str) -> str:
        if reference.kind == "secret":
            value = self._secret(reference.name, field)
            self._hide(value)
            return value
        if reference.kind == "folder":
            return self._folder(reference.name, field)
        value = self._environ.get(reference.name, "")
        if not value:
            if reference.default is None:
                hint = f"Set it, or write ${{{reference.name}:-default}}."
                problem = f"needs the variable {reference.name}, which is not set"
                raise self._failed(field, problem, hint)
            return reference.default
        inside = field.startswith(("env.", "headers.")) and reference.name not in INHERITED
        if inside or is_sensitive(reference.name):
            self._hide(value)
        return value

    def _folder(self, name: str, field: str) -> str:
        folder = self._config.root if name == "workspaceFolder" else self._environ.get("HOME")
        if not folder:
            raise self._failed(field, f"needs ${{{name}}}, and there is none")
        return folder

    def _secret(self, name: str, field: str) -> str:
        """Return a stored secret: `mcp.SERVER.KEY`, where both may have dots."""
        words = name.split(".")
        accounts = self._config.accounts(STORE) if words[0] == STORE else {}
        for at in range(len(words) - 1, 1, -1):
            account, key = ".".join(words[1:at]), ".".join(words[at:])
            stored = accounts.get(account, {}).get(key)
            if isinstance(stored, str) and stored.strip():
                return self._resolved(stored.strip(), account, key, field)
        if words[0] != STORE or len(words) < 3:  # noqa: PLR2004  # mcp, the server, the key
            raise self._failed(
                field, f"needs the secret {shown(name)}; such names are mcp.SERVER.KEY"
            )
        problem = f"needs the secret {name}, which is not stored"
        account, key = ".".join(words[1:-1]), words[-1]
        raise self._failed(
            field, problem, f"Run: kosmo mcp:secret:set {quote(account)} {quote(key)}"
        )

    def _resolved(self, stored: str, account: str, key: str, field: str) -> str:
        try:
            return resolve(stored, STORE, account, key, self._tell)
        except ConfigError as error:
            error.message = f"the MCP server {self._server.name}: {field}: {error.message}"
            if "accounts:add" in (error.hint or ""):
                command = f"kosmo mcp:secret:set {quote(account)} {quote(key)} --keyring"
                error.hint = f"Store it again with {command}"
            raise

    def _find_literals(self, named: Mapping[str, str], words: list[str]) -> None:
        """Hide what is written in the definition, and is secret by its name or its place."""
        found = [each for name, value in named.items() for each in literals_of(value, name)]
        for value in (*found, *literals_of_args(words)):
            self._hide(value)

    def _hide(self, value: str) -> None:
        if len(value) >= _SHORTEST:
            self._secrets.add(value)

    def _failed(self, field: str, problem: str, hint: str | None = None) -> ConfigError:
        return failed(self._server, field, problem, hint)
