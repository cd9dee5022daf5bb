"""kosmo mcp:secret:set, list, unset: the secrets that definitions of servers refer to."""

import os
import sys
from typing import TYPE_CHECKING

import click

from kosmo_lua.answers import SecretChange, SecretEntry, SecretList
from kosmo_lua.cli.approval import on_terminal
from kosmo_lua.cli.mcp.options import Setup, server_argument
from kosmo_lua.cli.plain import table
from kosmo_lua.cli.report import Report, json_option
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.cli.usage import refused

if TYPE_CHECKING:
    from kosmo_lua.mcp.secrets import Secrets

_LARGEST = 65_536


@click.command("mcp:secret:set", cls=StrictCommand, short_help="Store a secret of a server.")
@server_argument
@click.argument("key")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read it from stdin.")
@click.option("--env", "variable", metavar="NAME", help="Take it from this variable.")
@click.option("--keyring", is_flag=True, help="Keep it in the system's keyring.")
@json_option
def set_command(  # its options
    *,
    server: str,
    key: str,
    from_stdin: bool,
    variable: str | None,
    keyring: bool,
    as_json: bool,
) -> int:
    """Store the secret KEY of SERVER: asks for it, or reads it; or cmd:COMMAND, which prints it.

    It is never an argument: other users, and the shell's history, would see that.
    """
    if from_stdin and variable is not None:
        raise refused("--stdin and --env contradict each other")
    setup = Setup()
    name = _name(setup, server)
    value = _from_variable(variable) if variable is not None else _read(key, asked=not from_stdin)
    path = _secrets(setup).store(name, key, value, keyring=keyring)
    facts = SecretChange(name, key, path, f"@secret:mcp.{name}.{key}")
    known = {each.name for each in setup.servers.all.values()}
    warnings = [] if name in known else [f"there is no MCP server {name} yet"]
    text = f"Stored {key} of {name}. A definition refers to it as {facts.reference}"
    return Report(as_json=as_json).facts(facts, text, warnings)


@click.command("mcp:secret:list", cls=StrictCommand, short_help="List the secrets of a server.")
@server_argument
@json_option
def list_command(*, server: str, as_json: bool) -> int:
    """List the keys of the secrets that are stored for SERVER. No value is shown."""
    setup = Setup()
    name = _name(setup, server)
    kinds = _secrets(setup).kinds(name)
    facts = SecretList(name, tuple(SecretEntry(key, kind) for key, kind in kinds.items()))
    rows = [("Key", "Stored in"), *facts.secrets]
    return Report(as_json=as_json).facts(
        facts, table(rows) if kinds else f"{name} has no secrets."
    )


@click.command("mcp:secret:unset", cls=StrictCommand, short_help="Forget a secret of a server.")
@server_argument
@click.argument("key")
@json_option
def unset_command(*, server: str, key: str, as_json: bool) -> int:
    """Forget the secret KEY of SERVER, also in the keyring."""
    setup = Setup()
    name = _name(setup, server)
    path = _secrets(setup).forget(name, key)
    facts = SecretChange(name, key, path, f"@secret:mcp.{name}.{key}")
    return Report(as_json=as_json).facts(facts, f"Forgot {key} of {name}.")


def _secrets(setup: Setup) -> "Secrets":
    from kosmo_lua.mcp.secrets import Secrets  # noqa: PLC0415  # start-up: not for --help

    return Secrets(setup.config)


def _name(setup: Setup, server: str) -> str:
    """Return the name of a server, of which the alias may be given; it may be added later."""
    found = setup.servers.all.get(server)
    return found.name if found else server


def _from_variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value.strip():
        raise refused(f"--env {name}: the variable is not set")
    return value


def _read(key: str, *, asked: bool) -> str:
    if asked and on_terminal():
        return str(click.prompt(key, hide_input=True, err=True))
    if sys.stdin is None or sys.stdin.closed or (asked and sys.stdin.isatty()):
        raise refused("there is nobody to ask: give the secret on stdin, with --stdin")
    try:
        value = sys.stdin.buffer.read(_LARGEST + 1).decode()
    except (OSError, UnicodeDecodeError):
        raise refused("stdin cannot be read as UTF-8") from None
    if len(value) > _LARGEST:
        raise refused(f"stdin has more than {_LARGEST:,} characters: that is no secret")
    if not value.strip():
        raise refused("stdin is empty: give the secret there")
    return value
