"""kosmo mcp:trust, untrust: what a project's file defines may be started, or not."""

import os
import shlex

import click

from kosmo_lua.cli.approval import on_terminal
from kosmo_lua.cli.mcp.options import Setup, scope_option, server_argument
from kosmo_lua.cli.plain import escaped
from kosmo_lua.cli.report import Report, json_option, say
from kosmo_lua.cli.strict import StrictCommand
from kosmo_lua.errors import ApprovalRequired
from kosmo_lua.mcp.references import Reference, references
from kosmo_lua.mcp.sensitive import shown_value
from kosmo_lua.mcp.server import Server
from kosmo_lua.policy import Policy

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
    inherits = _inherited(setup, found)
    if not yes:
        _ask(found, inherits)
    setup.trust.grant(found)
    text = f"Trusted {found.name} of {found.source}, as it is now."
    return Report(as_json=as_json).facts(setup.facts(found), text, inherits)


def _inherited(setup: Setup, server: Server) -> list[str]:
    """Return what would hold for the project's server because of the name that it has chosen."""
    hidden = setup.servers.hidden_by(server)
    own = [f"it hides your own server {server.name} of {hidden}"] if hidden else []
    allowed = Policy(os.environ, config=setup.config).allowances(f"mcp.{server.alias}")
    return own + [
        f"your rule {rule.pattern or rule.source} = allow holds for it"
        + (f", in {rule.source}" if rule.pattern else "")
        for rule in allowed
    ]


def _ask(server: Server, inherits: list[str]) -> None:
    """Return when somebody says yes.

    Raises:
        ApprovalRequired: nobody is there, or the answer is no.
    """
    name = shlex.quote(server.handle)
    if not on_terminal():
        message = f"to trust the MCP server {server.name} needs a yes, and there was nobody to ask"
        hint = f"Review {server.source}, then run: kosmo mcp:trust {name} --yes"
        raise ApprovalRequired(message, hint=hint)
    lines = [*_description(server), *(f"  note: {each}" for each in inherits)]
    say("\n".join(map(escaped, lines)))  # no line of its own making
    if not click.confirm("Trust it?", default=False, err=True):
        raise ApprovalRequired(f"the MCP server {server.name} was not trusted")


def _description(server: Server) -> list[str]:
    """Say what trust would let happen: of the command all, as what is hidden there would be run, too."""
    lines = [f"The MCP server {server.name} of {server.source} would"]
    if server.command is not None:
        lines.append(f"  run   {shlex.join([server.command, *server.args])}")
        lines += [f"  in    {server.cwd}"] if server.cwd else []
    else:
        lines.append(f"  call  {shown_value(server.url or '')}")
    # A variable may say what is run as well as the command: LD_PRELOAD, NODE_OPTIONS, PATH.
    lines += [f"  with  {name}={shown_value(value, name)}" for name, value in server.env.items()]
    lines += [
        f"  with  {name}: {shown_value(value, name)}" for name, value in server.headers.items()
    ]
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
