"""The options about how what is sent arrives, of every command that calls functions."""

from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.cli.limits import Seconds
from kosmo_lua.options import RETRY_BUDGET

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS: "list[tuple[tuple[str, str], dict[str, Any]]]" = [
    (
        ("--run", "run_id"),
        {
            "metavar": "ID",
            "help": "Name the run: repeated by its ID, it sends nothing twice "
            "to services that drop duplicates.",
        },
    ),
    (
        ("--retry-budget", "retry_budget"),
        {
            "type": Seconds(min=0),
            "metavar": "SECONDS",
            "help": "Time for which a request is tried again after its first failure; 0: never."
            f"  [default: KOSMO_RETRY_BUDGET, else {RETRY_BUDGET:g}]",
        },
    ),
]
"""Of each option: its spelling, the argument that it becomes, and its settings."""

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def made_options() -> list[click.Option]:
    """Return the options, for a command whose options are made when it is used."""
    return [click.Option([*names], **settings) for names, settings in _OPTIONS]


def delivery_options(command: _Command) -> _Command:
    """Add the options to a command."""
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, **settings)(command)
    return command
