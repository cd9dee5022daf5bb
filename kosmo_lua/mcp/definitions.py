"""Server out of an entry of a file: every field is checked, and what is wrong is said with its place."""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.addresses import NO_USER, checked_url
from kosmo_lua.mcp.documents import shown
from kosmo_lua.mcp.sensitive import is_reference
from kosmo_lua.mcp.server import TIMEOUT, Server, alias_of
from kosmo_lua.values import Json, JsonObject

_NAME = re.compile(r"[A-Za-z0-9_.-](?:[A-Za-z0-9_. -]{0,62}[A-Za-z0-9_.-])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

_KINDS: Mapping[str, Literal["stdio", "http"]] = {
    "stdio": "stdio",
    "http": "http",
    "streamable-http": "http",
    "streamableHttp": "http",
}

_LONGEST = 86_400.0


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8; a word of a command line may be other bytes."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def check_name(name: str) -> None:
    """Return when a server may have this name.

    Raises:
        ConfigError: it may not.
    """
    if not _NAME.fullmatch(name) or not name.strip("."):
        message = f"{shown(name)} cannot be the name of an MCP server"
        raise ConfigError(message, hint="Use up to 64 letters, digits, -, _, . and spaces.")


def server_of(name: str, entry: Json, path: str, project: str | None) -> Server:
    """Return the server that an entry defines; references in it stay as they are.

    Raises:
        ConfigError: something of it cannot be used; says what, and where.
    """
    try:
        check_name(name)
    except ConfigError as error:
        error.message = f"{path}: {error.message}"
        raise
    if not isinstance(entry, dict):
        raise ConfigError(f"{path}: the server {name} must be an object")
    fields = _Fields(entry, f"{path}: {name}")
    kind = _kind(fields)
    return Server(
        name=name,
        alias=alias_of(name),
        source=path,
        project=project,
        kind=kind,
        command=fields.text("command"),
        args=fields.texts("args"),
        env=fields.table("env", _VARIABLE),
        cwd=fields.text("cwd"),
        url=_url(fields),
        headers=fields.table("headers", _HEADER),
        timeout=fields.seconds("timeout"),
        enabled=fields.switch("enabled", default=True) and not fields.switch("disabled"),
    )


def entry_of(server: Server) -> JsonObject:
    """Return the entry that defines a server, with what differs from the defaults."""
    entry: dict[str, Any] = {} if server.kind == "stdio" else {"type": "http"}
    for name in ("command", "args", "env", "cwd", "url", "headers"):
        if value := getattr(server, name):
            entry[name] = (
                [*value]
                if isinstance(value, tuple)
                else dict(value)
                if isinstance(value, Mapping)
                else value
            )
    if server.timeout != TIMEOUT:
        entry["timeout"] = server.timeout
    if not server.enabled:
        entry["enabled"] = False
    return entry


def _kind(fields: "_Fields") -> Literal["stdio", "http"]:
    given = fields.text("type")
    if given == "sse":
        fields.refuse("type", "sse is not supported: streamable HTTP is; ask the server for it")
    if given is not None and given not in _KINDS:
        fields.refuse("type", "must be stdio or http")
    if "envFile" in fields.entry:
        fields.refuse("envFile", "is not supported: name the variables in env")
    has = [name for name in ("command", "url") if fields.text(name) is not None]
    if len(has) != 1:
        which = "both command and url: choose one" if has else "neither command nor url"
        raise ConfigError(f"{fields.place} has {which}")
    kind: Literal["stdio", "http"] = "stdio" if has == ["command"] else "http"
    if given is not None and _KINDS[given] != kind:
        needed = "command" if given == "stdio" else "url"
        fields.refuse("type", f"is {given}, which needs {needed} and not {has[0]}")
    wrong = ("url", "headers") if kind == "stdio" else ("args", "env", "cwd")
    for name in wrong:
        if fields.entry.get(name):
            fields.refuse(name, f"has no meaning beside {has[0]}")
    return kind


def _url(fields: "_Fields") -> str | None:
    url = fields.text("url")
    if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
        fields.refuse("url", NO_USER)
    if url is not None and not is_reference(url):
        try:
            checked_url(url)
        except ValueError as error:
            fields.refuse("url", str(error))
    return url


class _Fields:
    """The fields of an entry, each taken only as what it should be."""

    def __init__(self, entry: JsonObject, place: str) -> None:
        self.entry = entry
        self.place = place

    def refuse(self, name: str, problem: str) -> None:
        """Raise the error of a field."""
        raise ConfigError(f"{self.place}: {name} {problem}")

    def text(self, name: str) -> str | None:
        value = self.entry.get(name)
        if value is None:
            return None
        return self._text(name, value, empty=False)

    def _text(self, name: str, value: Json, *, empty: bool = True) -> str:
        if not isinstance(value, str) or "\0" in value or not is_unicode(value):
            raise ConfigError(f"{self.place}: {name} must be a text")
        if not empty and not value.strip():
            raise ConfigError(f"{self.place}: {name} is empty")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.entry.get(name) or []
        if not isinstance(value, list):
            raise ConfigError(f"{self.place}: {name} must be a list of texts")
        return tuple(self._text(f"{name}[{at}]", item) for at, item in enumerate(value))

    def table(self, name: str, keys: re.Pattern[str]) -> dict[str, str]:
        value = self.entry.get(name) or {}
        if not isinstance(value, dict):
            raise ConfigError(f"{self.place}: {name} must be an object of texts")
        for key in value:
            if not keys.fullmatch(key):
                self.refuse(name, f"has {shown(key)}, which cannot be a name there")
        return {key: self._text(f"{name}.{key}", item) for key, item in value.items()}

    def seconds(self, name: str) -> float:
        value = self.entry.get(name)
        if value is None:
            return TIMEOUT
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not 0 < value <= _LONGEST:  # type: ignore[operator, arg-type]  # a number
            self.refuse(name, f"must be seconds, more than 0 and at most {_LONGEST:,.0f}")
        return float(value)  # type: ignore[arg-type]  # the same

    def switch(self, name: str, *, default: bool = False) -> bool:
        value = self.entry.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return default if value is None else bool(value)
