"""kosmo mcp:add: a new server, from the words of a command line."""

import os
from collections.abc import Iterable
from shlex import quote
from typing import Any

import click

from kosmo_lua.cli.mcp.options import Setup, plain_secrets, scope_option
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.cli.usage import refused
from kosmo_lua.config.policy_rules import DECISIONS
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.definitions import server_of
from kosmo_lua.mcp.editing import Editor
from kosmo_lua.mcp.sensitive import is_reference
from kosmo_lua.mcp.server import Server
from kosmo_lua.values import JsonObject

_DECISION = click.Choice(DECISIONS)


class _AddCommand(StrictCommand):
    """A command whose words after `--` are the server's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = "options of the server go after --: mcp:add NAME -- COMMAND -y"
            raise click.UsageError(f"{error.format_message().rstrip('.')}: {hint}", ctx) from None


@click.command("mcp:add", cls=_AddCommand, short_help="Add an MCP server.")
@click.argument("name")
@click.argument("target", required=False, metavar="[COMMAND_OR_URL]")
@click.argument("rest", nargs=-1, metavar="[ARGS]...")
@click.option("--type", "kind", metavar="TYPE", help="stdio or http; else as it looks.")
@click.option("--command", metavar="PROGRAM", help="The program that is the server.")
@click.option("--url", metavar="URL", help="The address of the server.")
@click.option("--arg", "more", multiple=True, metavar="ARG", help="One more argument.")
@click.option(
    "--env",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A variable of the program; without a value: as it is in the environment of each run.",
)
@click.option("--header", multiple=True, metavar="NAME:VALUE", help="A header of each request.")
@click.option("--timeout", type=float, metavar="SECONDS", help="How long an answer may take.")
@click.option("--enable/--disable", "enabled", default=True, help="Whether it is used.")
@click.option("--read", type=_DECISION, help="What is decided for tools that only read.")
@click.option("--write", type=_DECISION, help="What is decided for the other tools.")
@scope_option("In the project's .mcp.json, which is the default; or in your own mcp.json.")
@json_option
def command(*, name: str, project: bool | None, as_json: bool, **options: Any) -> int:  # noqa: ANN401  # click's values
    """Add the MCP server NAME: a program, with its arguments after --, or an address.

    As you have typed it yourself, a server of the project is trusted at once.
    """
    setup, project = Setup(), project is not False
    setup.config.check()  # before anything is changed
    entry, editor = _entry(options), Editor(setup.config)
    path = editor.target(project=project)
    server = server_of(name, entry, path, setup.config.root if project else None)
    if editor.put(path, {name: entry})[name] == "exists":
        message = f"there is another MCP server {name} in {path}"
        raise ConfigError(message, hint=f"Run: kosmo mcp:remove {quote(name)}")
    setup.trust.grant(server)
    setup.reread()
    server, hidden = _added(setup, server)
    if not hidden:
        _decide(setup, server, options)
    facts = setup.facts(server)
    text = f"Added {server.name} to {path}: it is mcp.{server.alias} in Lua."
    warnings = [
        *hidden,
        *setup.servers.problems,
        *plain_secrets(server, path),
        *_missing(setup, server),
    ]
    return Report(as_json=as_json).facts(facts, text, warnings)


def _entry(options: dict[str, Any]) -> JsonObject:
    target, program, url = options["target"], options["command"], options["url"]
    if [target, program, url].count(None) != 2 and not (target and program and not url):  # noqa: PLR2004  # one of three
        raise refused("give one command or one address")
    rest = [*options["rest"]]
    if program and target is not None:
        rest.insert(0, target)
    elif target is not None and target.lower().startswith(("http://", "https://")):
        url = target
    elif target is not None:
        program = target
    fields = {
        "type": options["kind"] or ("http" if url else None),
        "command": program,
        "args": [*rest, *options["more"]],
        "env": _table("--env", map(_variable, options["env"])),
        "url": url,
        "headers": _table("--header", map(_header, options["header"])),
        "timeout": _whole(options["timeout"]),
    }
    entry = {name: value for name, value in fields.items() if value not in (None, [], {})}
    return entry if options["enabled"] else {**entry, "enabled": False}


def _whole(seconds: float | None) -> float | None:
    return int(seconds) if seconds is not None and seconds.is_integer() else seconds


def _variable(text: str) -> tuple[str, str]:
    name, has_value, value = text.partition("=")
    return name, value if has_value else f"${{{name}}}"


def _header(text: str) -> tuple[str, str]:
    found = [text.index(mark) for mark in ":=" if mark in text]
    if not found:  # not what was given: it may be a secret
        raise refused("--header takes NAME:VALUE")
    return text[: min(found)].strip(), text[min(found) + 1 :].strip()


def _table(option: str, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    table: dict[str, str] = {}
    for name, value in pairs:
        if name in table:
            raise refused(f"{option} {name} was given twice")
        table[name] = value
    return table


def _added(setup: Setup, server: Server) -> tuple[Server, list[str]]:
    """Return the server as the files have it now, and a warning when one of the project hides it."""
    for each in setup.servers.all.values():
        if (each.name, each.source) == (server.name, server.source):
            return each, []
    hidden = f"the project has another {server.name}, which counts here"
    return server, [f"{hidden}; nothing was decided about reads and writes"]


def _decide(setup: Setup, server: Server, options: dict[str, Any]) -> None:
    decisions = {each: options[each] for each in ("read", "write") if options[each]}
    if not decisions:
        return
    from kosmo_lua.configure import Configurator  # noqa: PLC0415  # start-up: not for --help

    for access, decision in decisions.items():
        Configurator(setup.config).decide(f"mcp.{server.alias}.{access}", decision)
    setup.config.reread()


def _missing(setup: Setup, server: Server) -> list[str]:
    """Say where a relative command is looked for, when it is not there: it was typed somewhere else."""
    base, command = server.project or setup.config.folder, server.command or ""
    if base is None or is_reference(command) or not os.path.dirname(command):
        return []
    path = os.path.join(base, command)
    exists = os.path.exists(path)
    return [] if exists else [f"there is no {path}: a relative command starts from {base}"]
