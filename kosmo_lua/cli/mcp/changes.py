"""kosmo mcp:remove, enable, disable, import: changes of the files that define servers."""

import os
from collections.abc import Iterator, Mapping

import click

from kosmo_lua.answers import ServerChange, ServerImport
from kosmo_lua.cli.mcp.options import Setup, plain_secrets, scope_of, scope_option, server_argument
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.config.folders import absolute
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.definitions import server_of
from kosmo_lua.mcp.documents import entries, read, shown
from kosmo_lua.mcp.editing import Editor
from kosmo_lua.mcp.server import alias_of
from kosmo_lua.values import JsonObject

_WHERE = "In a file of the project, or in your own; else in the one that counts."


@click.command("mcp:remove", cls=StrictCommand, short_help="Remove an MCP server.")
@server_argument
@scope_option(_WHERE)
@json_option
def remove_command(*, server: str, project: bool | None, as_json: bool) -> int:
    """Remove SERVER from the file that defines it, and its trust. Its stored secrets stay."""
    setup = Setup()
    editor = Editor(setup.config)
    place = editor.locate(setup.servers, server, project=project)
    editor.remove(place)
    if place.project is not None:
        setup.trust.forget(place.project, place.name)
    setup.reread()
    others = [each for each in setup.servers.all.values() if each.name == place.name]
    warnings = [f"{each.name} of {each.source} counts now" for each in others]
    alias = alias_of(place.name) if place.name else ""
    scope = scope_of(place.project)
    facts = ServerChange(place.name, alias, scope, place.path, None, None, None)
    text = f"Removed {_printable(place.name)} from {place.path}."
    return Report(as_json=as_json).facts(facts, text, warnings)


def _printable(name: str) -> str:
    """Return a name as a terminal may show it: an entry that cannot be used may have any."""
    return name if name.isprintable() and name else shown(name)


@click.command("mcp:enable", cls=StrictCommand, short_help="Let an MCP server be used.")
@server_argument
@scope_option(_WHERE)
@json_option
def enable_command(*, server: str, project: bool | None, as_json: bool) -> int:
    """Let SERVER be used. What its trust is stays as it is."""
    return _switch(server, project, enabled=True, as_json=as_json)


@click.command("mcp:disable", cls=StrictCommand, short_help="Let an MCP server not be used.")
@server_argument
@scope_option(_WHERE)
@json_option
def disable_command(*, server: str, project: bool | None, as_json: bool) -> int:
    """Let SERVER not be used until it is enabled again."""
    return _switch(server, project, enabled=False, as_json=as_json)


def _switch(name: str, project: bool | None, *, enabled: bool, as_json: bool) -> int:  # noqa: FBT001  # as the option has it
    setup = Setup()
    editor = Editor(setup.config)
    place = editor.locate(setup.servers, name, project=project)
    entry = entries(read(place.path), place.path)[place.name]
    server_of(place.name, entry, place.path, place.project)  # else it has no state
    editor.enable(place, enabled=enabled)
    setup.reread()
    entry = entries(read(place.path), place.path)[place.name]
    facts = setup.facts(server_of(place.name, entry, place.path, place.project))
    text = f"{'Enabled' if enabled else 'Disabled'} {place.name} in {place.path}."
    return Report(as_json=as_json).facts(facts, text)


@click.command("mcp:import", cls=StrictCommand, short_help="Add the MCP servers of a file.")
@click.argument("path")
@scope_option("Into the project's .mcp.json, which is the default; or into your own mcp.json.")
@click.option("--force", is_flag=True, help="Replace servers of the same name.")
@json_option
def import_command(*, path: str, project: bool | None, force: bool, as_json: bool) -> int:
    """Add the servers of the file PATH, as other clients have it. In a project they need trust then."""
    setup, project = Setup(), project is not False
    source = absolute(path)
    if not os.path.lexists(source):
        raise ConfigError(f"there is no file {source}")
    editor = Editor(setup.config)
    target = editor.target(project=project)
    good, warnings = _usable(entries(read(source), source), source)
    outcomes = editor.put(target, good, replace=force) if good else {}
    kept = [name for name, outcome in outcomes.items() if outcome == "exists"]
    warnings += [f"{name} is in {target} already: --force replaces it" for name in kept]
    warnings += _secrets(good, outcomes, target)
    facts = ServerImport(
        source,
        scope_of(setup.config.root if project else None),
        target,
        tuple(name for name, outcome in outcomes.items() if outcome == "added"),
        tuple(name for name, outcome in outcomes.items() if outcome == "replaced"),
        tuple(name for name, outcome in outcomes.items() if outcome in ("exists", "same")),
    )
    return Report(as_json=as_json).facts(facts, _told(facts), warnings)


def _secrets(
    good: dict[str, JsonObject], outcomes: Mapping[str, str], target: str
) -> Iterator[str]:
    """Say which secrets were copied."""
    for name, outcome in outcomes.items():
        if outcome in ("added", "replaced"):
            yield from plain_secrets(server_of(name, good[name], target, None), target)


def _usable(found: JsonObject, source: str) -> tuple[dict[str, JsonObject], list[str]]:
    """Return the entries that can be used, and what is wrong with the others."""
    good: dict[str, JsonObject] = {}
    problems = []
    for name, entry in found.items():
        try:
            server_of(name, entry, source, None)
        except ConfigError as error:
            problems.append(error.message)
        else:
            assert isinstance(entry, dict), "it was checked"
            good[name] = entry
    return good, problems


def _told(facts: ServerImport) -> str:
    parts = [
        f"{what} {', '.join(names)}"
        for what, names in (
            ("added", facts.added),
            ("replaced", facts.replaced),
            ("skipped", facts.skipped),
        )
        if names
    ]
    text = f"{facts.path}: {'; '.join(parts) or 'nothing to import'}"
    if facts.scope == "project" and (facts.added or facts.replaced):
        text += "\nReview them, then trust each: kosmo mcp:trust SERVER"
    elif facts.added or facts.replaced:
        text += "\nThey are your own now, and need no trust: review them."
    return text
