"""The commands: each is imported when it is called."""

from typing import TYPE_CHECKING

import click

from kosmo_lua.errors import UnknownIntegration

if TYPE_CHECKING:  # only named here
    from click.shell_completion import CompletionItem

COMMANDS = {
    "integrations:lua": "lua:command",
    "integrations:list": "catalog:list_command",
    "integrations:search": "catalog:search_command",
    "integrations:docs": "catalog:docs_command",
    "integrations:schema": "catalog:schema_command",
    "integrations:examples": "catalog:examples_command",
    "integrations:call": "call:call_command",
    "integrations:status": "readiness:status_command",
    "integrations:doctor": "readiness:doctor_command",
    "integrations:fields": "readiness:fields_command",
    "integrations:test": "readiness:test_command",
    "integrations:configure": "configure:command",
    "mcp:lua": "mcp.lua:command",
    "mcp:list": "mcp.servers:list_command",
    "mcp:status": "mcp.status:status_command",
    "mcp:doctor": "mcp.status:doctor_command",
    "mcp:add": "mcp.adding:command",
    "mcp:remove": "mcp.changes:remove_command",
    "mcp:enable": "mcp.changes:enable_command",
    "mcp:disable": "mcp.changes:disable_command",
    "mcp:trust": "mcp.trust:trust_command",
    "mcp:untrust": "mcp.trust:untrust_command",
    "mcp:tools": "mcp.tools:tools_command",
    "mcp:schema": "mcp.tools:schema_command",
    "mcp:call": "mcp.call:call_command",
    "mcp:resources": "mcp.resources:resources_command",
    "mcp:resource": "mcp.resources:resource_command",
    "mcp:prompts": "mcp.resources:prompts_command",
    "mcp:prompt": "mcp.resources:prompt_command",
    "mcp:import": "mcp.changes:import_command",
    "mcp:export": "mcp.servers:export_command",
    "mcp:secret:set": "mcp.secret:set_command",
    "mcp:secret:list": "mcp.secret:list_command",
    "mcp:secret:unset": "mcp.secret:unset_command",
    "mcp:serve": "mcp.serve:command",
    "mcp:gateway:export": "mcp.gateway:export_command",
    "mcp:gateway:install": "mcp.gateway:install_command",
    "accounts:list": "accounts:list_command",
    "accounts:show": "accounts:show_command",
    "accounts:add": "accounts:add_command",
    "accounts:remove": "accounts:remove_command",
    "config:explain": "config:explain_command",
    "audit": "audit:command",
    "emulator": "emulator:command",
}
"""Each command, and where it is: a module of this package, and its name there."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is used."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the commands, and those of the integrations, which the help does not list."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete and "integrations:".startswith(incomplete[: len("integrations:")]):
            from click.shell_completion import CompletionItem  # noqa: PLC0415  # only here

            from kosmo_lua.catalog import providers  # noqa: PLC0415  # only here

            names = [f"integrations:{name}" for name in providers()]
            found += [CompletionItem(name) for name in names if name.startswith(incomplete)]
        if incomplete.startswith("mcp:"):
            from click.shell_completion import CompletionItem  # noqa: PLC0415  # only here

            from kosmo_lua.cli.mcp.call import servers  # noqa: PLC0415  # only here

            names = [f"mcp:{name}" for name in servers()]
            found += [CompletionItem(name) for name in names if name.startswith(incomplete)]
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return their names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, or make that of an integration or an MCP server.

        Raises:
            click.UsageError, UnknownIntegration: there is none, and it is not for a completion.
        """
        from importlib import import_module  # noqa: PLC0415  # only here

        if cmd_name not in COMMANDS:
            strict = not ctx.resilient_parsing
            if cmd_name.startswith("mcp:"):
                return _server_command(cmd_name, strict=strict)
            if cmd_name.startswith("integrations:"):
                return _provider_command(cmd_name, strict=strict)
            if not strict:
                return None
            message = f"No such command '{cmd_name}'.{_suggestion(cmd_name, [*COMMANDS])}"
            raise click.UsageError(message, ctx)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"kosmo_lua.cli.{module}"), name)
        return command


def _provider_command(name: str, *, strict: bool) -> click.Command | None:
    """Return the command `integrations:PROVIDER`.

    Raises:
        UnknownIntegration: if `strict`, for a name that is neither an integration nor a command.
    """
    from kosmo_lua.catalog import providers  # noqa: PLC0415  # only here

    known, provider = providers(), name.removeprefix("integrations:")
    if provider in known:
        from kosmo_lua.cli.call import provider_command  # noqa: PLC0415  # only here

        return provider_command(provider)
    if not strict:
        return None
    raise _neither(name, f"an integration {provider}", [f"integrations:{each}" for each in known])


def _server_command(name: str, *, strict: bool) -> click.Command | None:
    """Return the command `mcp:SERVER`.

    Raises:
        UnknownIntegration: if `strict`, for a name that is neither a server nor a command.
        ConfigError: the same, for a server that cannot be used.
    """
    from kosmo_lua.cli.mcp.call import check, server_command, servers  # noqa: PLC0415  # only here

    known, server = servers(), name.removeprefix("mcp:")
    if server in known:
        return server_command(server, known[server])
    if not strict:
        return None
    check(server)
    raise _neither(name, f"an MCP server {server}", [f"mcp:{each}" for each in known])


def _neither(name: str, other: str, known: list[str]) -> UnknownIntegration:
    listed = "kosmo mcp:list --all" if name.startswith("mcp:") else "kosmo integrations:docs"
    suggestion = _suggestion(name, [*COMMANDS, *known])
    message = f"there is neither a command {name} nor {other}.{suggestion}"
    return UnknownIntegration(message, hint=f"List them: {listed}")


def _suggestion(name: str, known: list[str]) -> str:
    """Return the question which of the known names was meant, also by what is behind its colon alone."""
    from kosmo_lua.suggestions import nearest  # noqa: PLC0415  # only for an error

    ends = {} if ":" in name else {each: each.rpartition(":")[2] for each in known}
    near = [each for end in nearest(name, {*ends.values()}) for each in ends if ends[each] == end]
    meant = [*dict.fromkeys([*near, *nearest(name, known)])][:3]
    return f" Did you mean: {', '.join(meant)}?" if meant else ""
