"""The options that say what a gateway offers, of the commands that start one or write how it is started."""

from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.cli.limits import limit_options
from kosmo_lua.errors import UsageError
from kosmo_lua.gateway.offer import SMALLEST, Offer

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def _names(
    _: click.Context, param: click.Parameter, value: str | tuple[str, ...] | None
) -> tuple[str, ...]:
    """Read `a,b`, or several of them.

    Raises:
        UsageError: one has no name; to offer everything then would offer more than was meant.
    """
    given = (value,) if isinstance(value, str) else value or ()
    found = [[name.strip() for name in each.split(",") if name.strip()] for each in given]
    if not all(found):
        message = f"{param.opts[0]} names nothing that could be offered"
        hint = "Is a variable not set? Without the option everything is offered."
        raise UsageError(message, hint=hint)
    return tuple(name for names in found for name in names)


_OPTIONS = (
    click.option(
        "--expose",
        type=click.Choice(("code", "tools")),
        default="code",
        show_default=True,
        help="code: four tools that run scripts; tools: each function as a tool of its own.",
    ),
    click.option(
        "--write",
        type=click.Choice(("allow", "deny")),
        default="allow",
        show_default=True,
        help="deny: offer nothing that writes. allow: what the policy denies stays denied.",
    ),
    click.option(
        "--integration",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="Offer this integration only; may be repeated.",
    ),
    click.option(
        "--integrations", callback=_names, metavar="NAME,NAME", help="The same, several at once."
    ),
    click.option(
        "--upstream",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="Offer this MCP server only; may be repeated.",
    ),
    click.option(
        "--upstreams", callback=_names, metavar="NAME,NAME", help="The same, several at once."
    ),
    click.option(
        "--max-result-chars",
        type=click.IntRange(min=SMALLEST),
        default=50_000,
        show_default=True,
        metavar="NUMBER",
        help="Characters of the JSON of a reply; what is longer is cut.",
    ),
    click.option(
        "--emulator",
        is_flag=True,
        help="Call emulators on this machine: no credentials, nothing real.",
    ),
)


def gateway_options(command: _Command) -> _Command:
    """Add the options to a command; `offer_of` and `flags_of` read them."""
    command = limit_options(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def offer_of(options: dict[str, Any]) -> Offer:
    """Return what the options say."""
    return Offer(
        expose=options["expose"],
        writes=options["write"] == "allow",
        only=_chosen(options, "integration"),
        upstreams=_chosen(options, "upstream"),
        max_result_chars=options["max_result_chars"],
    )


def _chosen(options: dict[str, Any], kind: str) -> tuple[str, ...] | None:
    """Return the names of both spellings; None: nobody has named any."""
    return tuple(dict.fromkeys((*options[kind], *options[f"{kind}s"]))) or None


def flags_of(ctx: click.Context, options: dict[str, Any]) -> list[str]:
    """Return the options that were given, as arguments of `mcp:serve`."""
    flags = list[str]()
    for param in _own():
        name = param.name or ""
        if ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT:
            continue
        value = options[name]
        for each in value if param.multiple else [value]:
            flags.append(param.opts[0])
            if not param.is_flag:
                flags.append(",".join(each) if isinstance(each, tuple) else str(each))
    return flags


def _own() -> list[click.Option]:
    """Return the options of a command that has these alone."""

    @click.command
    @gateway_options
    def command(**_: object) -> None: ...

    return [param for param in command.params if isinstance(param, click.Option)]
