"""kosmo integrations:call and integrations:PROVIDER: call one function, without Lua."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.cli.catalog import show_page
from kosmo_lua.cli.function import FunctionCommand
from kosmo_lua.cli.report import json_option
from kosmo_lua.config import Config
from kosmo_lua.errors import KosmoError
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.values import MCP_PREFIX

if TYPE_CHECKING:  # only named here
    from click.shell_completion import CompletionItem

    from kosmo_lua.catalog import Catalog

_WITH_VALUE = ("--account", "--arg", "--retry-budget", "--run")
"""The options that take the next word, and may stand before the function."""


class FunctionGroup(click.Group):
    """Functions as commands, by their names below a root: `segment.`, `mcp.`, `mcp.github.`, or none."""

    def __init__(self, name: str, root: str = "", **settings: Any) -> None:  # noqa: ANN401  # click's
        super().__init__(
            name, subcommand_metavar="FUNCTION [JSON | -] [--PARAMETER VALUE]...", **settings
        )
        self._root = root
        self._force = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; the options may stand before the function."""
        self._force = "--force" in args  # it may be what lets a server be contacted
        at = 0
        while at < len(args) and args[at].startswith("-"):
            at += 2 if args[at] in _WITH_VALUE else 1
        arranged = [*args[at : at + 1], *args[:at], *args[at + 1 :]]
        asks_help = {"-h", "--help"} & {*args}
        if at >= len(args) and not (
            self.invoke_without_command or asks_help or ctx.resilient_parsing
        ):
            message = "Missing argument 'FUNCTION'"
            raise click.UsageError(message, ctx)
        return super().parse_args(ctx, arranged)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of the functions."""
        return [names[0] for names in self._names()]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the functions, by any of their names, and their options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # only here

        found = [name for names in self._names() for name in names if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*map(CompletionItem, found), *options]

    @cached_property
    def _catalog(self) -> "Catalog":
        return Kosmo(config=Config.here(), force=self._force).catalog

    def _names(self) -> list[list[str]]:
        """Return the names of each function, the first one its own."""
        catalog = self._catalog
        known = (
            catalog.known if self._root.startswith(MCP_PREFIX) else catalog.integrations.values()
        )
        functions = [
            function
            for integration in known
            if f"{integration.name}.".startswith(self._root)
            for function in integration.functions.values()
        ]
        return [
            [f"{f.integration}.{name}".removeprefix(self._root) for name in (f.name, *f.aliases)]
            for f in functions
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a function, by any spelling of its name."""
        name = cmd_name
        if self._root == MCP_PREFIX:  # as scripts and docs write it
            name = name.removeprefix("app.").removeprefix(MCP_PREFIX)
        try:
            return FunctionCommand(cmd_name, self._catalog.resolve(f"{self._root}{name}"))
        except KosmoError:
            if ctx.resilient_parsing:
                return None
            raise


call_command = FunctionGroup(
    "integrations:call",
    short_help="Call a function.",
    help="Call FUNCTION, such as segment.track, with flags, a JSON object, or `-` for JSON from stdin.",
)


def provider_command(name: str) -> click.Command:
    """Return the command `integrations:NAME`, which calls the functions of one integration."""
    return group_of(f"integrations:{name}", name)


def group_of(command: str, integration: str) -> click.Command:
    """Return a command for the functions of one integration; without a function it shows the docs."""

    @click.pass_context
    def docs(ctx: click.Context, *, as_json: bool) -> int | None:
        if ctx.invoked_subcommand is not None:
            return None
        return show_page(integration, style="json" if as_json else "text")

    group = FunctionGroup(
        command,
        f"{integration}.",
        callback=docs,
        invoke_without_command=True,
        help=f"Call FUNCTION of {integration}; without one, show its docs.",
    )
    return json_option(group)
