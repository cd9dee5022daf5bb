"""What is wrong with a command line."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # only named here
    from collections.abc import Sequence

    from click.parser import _OptionParser


class OnceCommand(click.Command):
    """A command that refuses an option given twice, unless it may be; click would take the last one."""

    def make_parser(self, ctx: click.Context) -> "_OptionParser":
        """Return click's parser, which looks at what it has parsed: to parse it again takes long."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_once(
            args: list[str],
        ) -> "tuple[dict[str, object], list[str], list[click.Parameter]]":
            values, rest, order = parse(args)
            if not ctx.resilient_parsing:
                _refuse_twice(order, ctx)
            return values, rest, order

        parser.parse_args = parse_once  # type: ignore[method-assign]  # its class is click's own
        return parser


def refused(message: str) -> click.UsageError:
    """Return the error that says so, and whose hint is the help of the command that runs."""
    return click.UsageError(message, click.get_current_context())


def _refuse_twice(order: "Sequence[click.Parameter]", ctx: click.Context) -> None:
    for param in order:
        several = isinstance(param, click.Option) and param.multiple
        if order.count(param) > 1 and not several:
            names = " / ".join((*param.opts, *param.secondary_opts))
            raise click.UsageError(f"{names} is given twice", ctx)
