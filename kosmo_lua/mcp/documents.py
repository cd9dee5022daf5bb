"""The files that define MCP servers: JSON, as each client writes it, with comments where VS Code has them."""

import os
import re
from collections.abc import Mapping
from typing import Literal

from kosmo_lua.config import Config
from kosmo_lua.errors import ConfigError
from kosmo_lua.strict_json import parse
from kosmo_lua.values import JsonObject

Format = Literal["mcpServers", "vscode"]

FORMATS: Mapping[Format, str] = {"mcpServers": "mcpServers", "vscode": "servers"}
"""How most clients write their files, and how VS Code does: the key below which each has its servers."""

KEYS = tuple(FORMATS.values())

PROJECT_FILES = (".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json")
"""Below the root of a project; the first that defines a server counts."""

USER_FILE = "mcp.json"

MAX_SERVERS = 500
"""Servers of one file; nobody has as many, but a stranger's file may."""

_LEXICAL = re.compile(r'"(?:[^"\\]|\\.)*+"?|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+"?|,(?=\s*+[}\]])', re.DOTALL)


def paths(config: Config) -> list[tuple[str, str | None]]:
    """Return the files that may define servers, and the project of each; the first counts."""
    found: list[tuple[str, str | None]] = []
    if config.root is not None:
        found += [(os.path.join(config.root, name), config.root) for name in PROJECT_FILES]
    if own := config.path(USER_FILE):
        found.append((own, None))
    return found


def read(path: str) -> JsonObject:
    """Return the document of a file.

    Raises:
        ConfigError: it cannot be read, or is not a JSON object.
    """
    from kosmo_lua.config.files import text_of  # noqa: PLC0415  # tomllib, only for a file that exists

    return parsed(text_of(path), path)


def parsed(text: str, path: str) -> JsonObject:
    """Return the document that a text of the file is; an empty one is an empty document.

    Raises:
        ConfigError: it is not a JSON object, or has a name twice.
    """
    text = without_comments(text)
    if not text.strip():
        return {}
    try:
        document = parse(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must be a JSON object", hint='Write {"mcpServers": {...}}.')
    return document


def entries(document: JsonObject, path: str) -> JsonObject:
    """Return the servers of a document, by their names; of both keys, should it have both.

    Raises:
        ConfigError: they are not an object, are too many, or one name is below both keys.
    """
    found: JsonObject = {}
    for key in KEYS:
        servers = document.get(key, {})
        if not isinstance(servers, dict):
            raise ConfigError(f"{path}: {key} must be an object of servers")
        if twice := {*servers} & {*found}:
            raise ConfigError(f"{path}: {shown(min(twice))} is there twice")
        found |= servers
    if len(found) > MAX_SERVERS:
        raise ConfigError(f"{path} has more than {MAX_SERVERS} servers")
    return found


def without_comments(text: str) -> str:
    """Return JSON without comments and commas before an end; all else stays on its line and column."""
    return _COMMA.sub(_blank, _LEXICAL.sub(_blank, text))


def has_comments(text: str) -> bool:
    """Whether a text has what JSON has not, so that writing it anew would lose it."""
    return without_comments(text) != text


def shown(name: str) -> str:
    """Return a name of a stranger's file as an error may show it."""
    short = name if len(name) <= 60 else f"{name[:60]}..."  # noqa: PLR2004  # a line of a terminal
    return ascii(short)


def _blank(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith('"') or (text.startswith("/*") and not text.endswith("*/")):
        return text  # what has no end is JSON's to complain about
    return re.sub(r"[^\n]", " ", text)
