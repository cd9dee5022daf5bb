"""kosmo mcp:trust, untrust: what a project's file defines may be started, or not."""

import shlex

import click

from kosmo_lua.cli.approval import on_terminal
from kosmo_lua.cli.mcp.options import Setup, scope_option, server_argument
from kosmo_lua.cli.plain import escaped
from kosmo_lua.cli.report import Report, json_option, say
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.errors import ApprovalRequired
from kosmo_lua.mcp.references import Reference, references
from kosmo_lua.mcp.server import Server

_IGNORED = "Accepted; trust is always kept in your own file."


@click.command("mcp:trust", cls=StrictCommand, short_help="Let a project's MCP server run.")
@server_argument
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
@scope_option(_IGNORED)
@json_option
def trust_command(*, server: str, yes: bool, project: bool | None, as_json: bool) -> int:
    """Show what SERVER of the project would run, and let it. A change of it ends the trust."""
    del project
    setup = Setup()
    found = setup.servers.find(server)
    if setup.trust.state(found) in ("own", "trusted"):
        own = found.project is None
        text = (
            f"{found.name} {'is your own, and needs no trust' if own else 'is trusted already'}."
        )
        return Report(as_json=as_json).facts(setup.facts(found), text)
    if not yes:
        _ask(found)
    setup.trust.grant(found)
    text = f"Trusted {found.name} of {found.source}, as it is now."
    return Report(as_json=as_json).facts(setup.facts(found), text)


def _ask(server: Server) -> None:
    """Return when somebody says yes.

    Raises:
        ApprovalRequired: nobody is there, or the answer is no.
    """
    name = shlex.quote(server.handle)
    if not on_terminal():
        message = f"to trust the MCP server {server.name} needs a yes, and there was nobody to ask"
        hint = f"Review {server.source}, then run: kosmo mcp:trust {name} --yes"
        raise ApprovalRequired(message, hint=hint)
    say("\n".join(map(escaped, _description(server))))  # no line of its own making
    if not click.confirm("Trust it?", default=False, err=True):
        raise ApprovalRequired(f"the MCP server {server.name} was not trusted")


def _description(server: Server) -> list[str]:
    """Say what trust would let happen; nothing is left out, and no value of a variable is shown."""
    lines = [f"The MCP server {server.name} of {server.source} would"]
    if server.command is not None:
        lines.append(f"  run   {shlex.join([server.command, *server.args])}")
        lines += [f"  in    {server.cwd}"] if server.cwd else []
    else:
        lines.append(f"  call  {server.url}")
    names = [*server.env, *server.headers]
    what = "variables" if server.command is not None else "headers"
    lines += [f"  with the {what} {', '.join(names)}"] if names else []
    given = [_given(each) for each in references(server) if each.kind != "folder"]
    lines += [f"  and would be given {', '.join(given)}"] if given else []
    return lines


def _given(reference: Reference) -> str:
    return f"${reference.name}" if reference.kind == "variable" else f"the secret {reference.name}"


@click.command("mcp:untrust", cls=StrictCommand, short_help="Let it run no longer.")
@server_argument
@scope_option(_IGNORED)
@json_option
def untrust_command(*, server: str, project: bool | None, as_json: bool) -> int:
    """Let SERVER of the project run no longer."""
    del project
    setup = Setup()
    found = setup.servers.find(server)
    setup.trust.revoke(found)
    own = "it is your own, and needs no trust" if found.project is None else "it is not trusted"
    return Report(as_json=as_json).facts(setup.facts(found), f"{found.name}: {own}.")
