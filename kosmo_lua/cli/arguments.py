"""What arguments and options of several commands have in common: the names that complete them."""

from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.config import Config
from kosmo_lua.kosmo import Kosmo

if TYPE_CHECKING:  # only named here
    from collections.abc import Callable


_Command = TypeVar("_Command", bound="Callable[..., Any]")


def function_argument(command: _Command) -> _Command:
    """Add the argument FUNCTION."""
    return click.argument("function", shell_complete=_functions)(command)


def page_argument(*, required: bool) -> "Callable[[_Command], _Command]":
    """Return what adds the argument PAGE."""
    return click.argument("page", required=required, shell_complete=_pages)


def provider_argument(*, required: bool = True) -> "Callable[[_Command], _Command]":
    """Return what adds the argument PROVIDER."""
    return click.argument("provider", required=required, shell_complete=_providers)


def account_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """Return the accounts of the integration that the command is about."""
    target = getattr(ctx.command, "target", None)
    provider = target.integration.name if target else ctx.params.get("provider")
    names = Kosmo(config=Config.here()).accounts.names(provider) if provider else []
    return [name for name in names if name.startswith(incomplete)]


def _functions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # the same
    return [name for name in _names() if name.startswith(incomplete)]


def _pages(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from kosmo_lua.reference import GUIDES  # noqa: PLC0415  # start-up: --help needs it not

    pages = [*_providers(ctx, param, incomplete), *GUIDES, *_names(), *tool_names("mcp.")]
    return [page for page in pages if page.startswith(incomplete)]


def server_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    """Return the MCP servers."""
    servers = Kosmo(config=Config.here()).catalog.servers
    return [name for name in (servers.names if servers else ()) if name.startswith(incomplete)]


def tool_names(prefix: str) -> list[str]:
    """Return the tools of the MCP servers that are known, each with a prefix: none is contacted."""
    known = (
        each for each in Kosmo(config=Config.here()).catalog.known if each.name.startswith("mcp.")
    )
    functions = (function for each in known for function in each.functions.values())
    return [f"{prefix}{f.full_name.removeprefix('mcp.')}" for f in functions]


def _providers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001  # click's signature
    from kosmo_lua.catalog import providers  # noqa: PLC0415  # start-up: --help needs it not

    return [name for name in providers() if name.startswith(incomplete)]


def _names() -> list[str]:
    functions = (
        f
        for each in Kosmo(config=Config.here()).catalog.integrations.values()
        for f in each.functions.values()
    )
    return [f"{f.integration}.{name}" for f in functions for name in (f.name, *f.aliases)]
