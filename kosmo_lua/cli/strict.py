"""Commands that refuse what click lets pass: nothing is guessed where secrets and permissions are meant."""

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


class StrictCommand(OnceCommand):
    """A command that never repeats a word that it did not expect: click would, and it may be a key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args:
            raise click.UsageError(f"too many words: it takes {_arguments(self)}", ctx)
        return rest


def _refuse_twice(order: "Sequence[click.Parameter]", ctx: click.Context) -> None:
    for param in order:
        several = isinstance(param, click.Option) and (param.multiple or param.is_eager)
        if order.count(param) > 1 and not several:
            names = " / ".join((*param.opts, *param.secondary_opts))
            raise click.UsageError(f"{names} is given twice", ctx)


def _arguments(command: click.Command) -> str:
    names = [p.human_readable_name for p in command.params if isinstance(p, click.Argument)]
    return " and ".join(names) or "options only"
