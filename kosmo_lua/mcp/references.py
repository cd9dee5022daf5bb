"""References in the definition of a server: what they look like, and where they are.

${VAR}   ${env:VAR}   ${VAR:-default}   $VAR (a whole value)      a variable of the environment
${KOSMO_SECRET:mcp.S.k}   @secret:mcp.S.k (a whole value)         a stored secret: kosmo mcp:secret:set S k
${workspaceFolder}   ${userHome}                                  the root of the project, the user's home
"""

import re
from collections.abc import Iterator
from shlex import quote
from typing import NamedTuple

from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.documents import shown
from kosmo_lua.mcp.sensitive import shown_value
from kosmo_lua.mcp.server import Server

_BRACED = re.compile(r"\$\{([^}]*)\}")
_VARIABLE = re.compile(
    r"(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<or>:-(?P<default>.*))?", re.DOTALL
)
_WHOLE = re.compile(r"\$(?P<variable>[A-Za-z_][A-Za-z0-9_]*)|@secret:(?P<secret>.+)", re.DOTALL)


class Reference(NamedTuple):
    """One reference of a definition."""

    kind: str
    """`variable`, `secret` or `folder`."""
    name: str
    default: str | None = None


def references(server: Server) -> list[Reference]:
    """Return what the definition of a server refers to, each once, in order.

    Raises:
        ConfigError: a reference makes no sense.
    """
    found = [
        part
        for field, text in fields(server)
        for part in parts_of(text, server, field)
        if isinstance(part, Reference)
    ]
    return list(dict.fromkeys(found))


def fields(server: Server) -> Iterator[tuple[str, str]]:
    """Return every text of a definition that may have references, with the name of its field."""
    for name in ("command", "cwd", "url"):
        if text := getattr(server, name):
            yield name, text
    for at, text in enumerate(server.args):
        yield f"args[{at}]", text
    for table in ("env", "headers"):
        for name, text in getattr(server, table).items():
            yield f"{table}.{name}", text


def parts_of(text: str, server: Server, field: str) -> list[str | Reference]:
    """Return a text in pieces: what stands there, and references.

    Raises:
        ConfigError: a reference makes no sense.
    """
    if whole := _WHOLE.fullmatch(text):
        if whole["variable"]:
            return [Reference("variable", whole["variable"])]
        return [Reference("secret", whole["secret"])]
    parts: list[str | Reference] = []
    for at, piece in enumerate(_BRACED.split(text)):
        parts.append(_reference(piece, server, field) if at % 2 else piece)
    return parts


def _reference(inside: str, server: Server, field: str) -> Reference:
    if inside in ("workspaceFolder", "userHome"):
        return Reference("folder", inside)
    if inside.startswith("KOSMO_SECRET:"):
        return Reference("secret", inside.removeprefix("KOSMO_SECRET:"))
    if inside.startswith("input:"):
        key = inside.removeprefix("input:")
        problem = f"has {shown(f'${{{inside}}}')}, which only VS Code can ask for"
        stored = f"@secret:mcp.{server.name}.{key}"
        hint = f"Run kosmo mcp:secret:set {quote(server.name)} {quote(key)}, and write {stored} there."
        raise failed(server, field, problem, hint)
    found = _VARIABLE.fullmatch(inside)
    if not found or "${" in inside:
        hint = "Write ${VAR}, ${VAR:-default} or ${KOSMO_SECRET:mcp.SERVER.KEY}."
        written = shown(shown_value(f"${{{inside}}}"))
        raise failed(server, field, f"has {written}, which is no reference", hint)
    return Reference("variable", found["name"], found["default"])


def failed(server: Server, field: str, problem: str, hint: str | None) -> ConfigError:
    """Return the error of a field of a definition."""
    return ConfigError(f"the MCP server {server.name}: {field} {problem}", hint=hint)
