"""The options that limit a script, of every command that runs one."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.lua.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULTS = Limits()


class _Seconds(click.FloatRange):
    """A positive, finite number of seconds."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  # click's signature
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


_SECONDS = _Seconds(min=0, min_open=True)
_NUMBER = click.IntRange(min=1)

_OPTIONS: "dict[str, tuple[str, click.ParamType[Any], str, str]]" = {
    "cpu": (
        "--cpu-limit",
        _SECONDS,
        "SECONDS",
        "CPU time of Lua; waiting and the work of calls do not count.",
    ),
    "wall": ("--timeout", _SECONDS, "SECONDS", "Time of the whole run."),
    "memory": ("--memory-limit", _NUMBER, "BYTES", "Memory of the script."),
    "output": ("--output-limit", _NUMBER, "BYTES", "Text that the script prints."),
    "result": ("--result-limit", _NUMBER, "BYTES", "What the script returns, as JSON."),
    "calls": ("--call-limit", _NUMBER, "NUMBER", "Calls of app."),
}
"""Of each field of Limits: the option, its type, what it takes, and its help."""

_Command = TypeVar("_Command", bound="Callable[..., Any]")


def limit_options(command: _Command) -> _Command:
    """Add the options to a command, which gets each as an argument `limit_cpu` and so on."""
    for field, (option, kind, metavar, text) in reversed(_OPTIONS.items()):
        default = getattr(_DEFAULTS, field)
        command = click.option(
            option,
            f"limit_{field}",
            type=kind,
            metavar=metavar,
            default=default,
            show_default=True,
            help=text,
        )(command)
    return command


def limits_of(options: dict[str, Any]) -> Limits:
    """Return the limits that were given as options."""
    return Limits(*(options[f"limit_{field}"] for field in Limits._fields))
