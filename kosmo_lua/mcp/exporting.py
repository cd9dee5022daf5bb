"""A document for other clients: every server as it is defined, references and all, but no secret."""

import re
from collections.abc import Iterable
from dataclasses import replace

from kosmo_lua.mcp.definitions import entry_of
from kosmo_lua.mcp.documents import FORMATS, Format
from kosmo_lua.mcp.sensitive import shown_args, shown_value
from kosmo_lua.mcp.server import Server
from kosmo_lua.values import Json, JsonObject

_OWN = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")


def exported(servers: Iterable[Server], style: Format) -> tuple[JsonObject, list[str]]:
    """Return the document in one of `FORMATS`, and a sentence on each value that it does not have."""
    entries: JsonObject = {}
    warnings: list[str] = []
    for server in servers:
        entry = entry_of(_without_literals(server, warnings))
        if style == "vscode":
            entry = {"type": server.kind, **entry}
            entry = {name: _for_vscode(value) for name, value in entry.items()}
        if "@secret:" in str(entry) or "KOSMO_SECRET:" in str(entry):
            warnings.append(f"{server.name} refers to a stored secret, which only kosmo resolves")
        entries[server.name] = entry
    return {FORMATS[style]: entries}, warnings


def _without_literals(server: Server, warnings: list[str]) -> Server:
    """Return a server whose secrets are references, where they were written out."""

    def table(values: Iterable[tuple[str, str]]) -> dict[str, str]:
        made = {}
        for name, value in values:
            hide = shown_value(value, name) != value
            variable = re.sub(r"\W", "_", name).upper()
            made[name] = f"${{{variable}}}" if hide else value
            if hide:
                warnings.append(
                    f"{server.name}: {name} is written out; it was exported as ${{{variable}}}"
                )
        return made

    shown = replace(
        server,
        command=server.command and shown_value(server.command),
        args=shown_args(server.args),
        url=server.url and shown_value(server.url),
    )
    if shown != server:
        warnings.append(f"{server.name}: a secret in its address or arguments was not exported")
    env, headers = table(server.env.items()), table(server.headers.items())
    return replace(shown, env=env, headers=headers)


def _for_vscode(value: Json) -> Json:
    """Return a value with the variables as VS Code writes them."""
    if isinstance(value, str):
        return _OWN.sub(
            lambda found: (
                found[0]
                if found["name"] in ("workspaceFolder", "userHome")
                else f"${{env:{found['name']}}}"
            ),
            value,
        )
    if isinstance(value, list):
        return [_for_vscode(item) for item in value]
    if isinstance(value, dict):
        return {name: _for_vscode(item) for name, item in value.items()}
    return value
