"""The options that limit a script, of every command that runs one."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosmo_lua.lua.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from kosmo_lua.config import Config

_DEFAULTS = Limits()


class Seconds(click.FloatRange):
    """A positive, finite number of seconds."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  # click's signature
        """Return the number; one that is not finite limits nothing."""
        seconds = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


_SECONDS = Seconds(min=0, min_open=True)
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
        command = click.option(
            option,
            f"limit_{field}",
            type=kind,
            metavar=metavar,
            help=f"{text}  [default: {getattr(_DEFAULTS, field)}]",
        )(command)
    return command


def limits_of(options: dict[str, Any], config: "Config") -> Limits:
    """Return the limits that were given as options, or by the configuration; a project's lower them."""
    fields = {
        field: _counted(config.limit(field, options[f"limit_{field}"], default))
        for field, default in _DEFAULTS._asdict().items()
    }
    return Limits(**fields)  # type: ignore[arg-type]  # each has the type of its option, and of its check


def _counted(limit: float) -> float:
    """Return a limit as Lua can count it, in 64 bits: who wants none writes a large number."""
    return min(limit, 2**63 - 1) if isinstance(limit, int) else limit
