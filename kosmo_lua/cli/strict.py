"""Commands that take secrets, or decide who may do what: they take a command line exactly as it is meant."""

import click


class StrictCommand(click.Command):
    """A command that refuses an option given twice, and never repeats a word that it did not expect.

    click would let the last of two options win; and it would show the word, which may be a key.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        refuse_twice(self, ctx, args)
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args:
            raise click.UsageError(f"too many words: it takes {_arguments(self)}", ctx)
        return rest


def refuse_twice(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """Return when no option of a command line is given twice, unless it may be.

    Raises:
        click.UsageError: one is.
    """
    order = [] if ctx.resilient_parsing else command.make_parser(ctx).parse_args([*args])[2]
    for param in order:
        several = isinstance(param, click.Option) and param.multiple
        if order.count(param) > 1 and not several:
            names = " / ".join((*param.opts, *param.secondary_opts))
            raise click.UsageError(f"{names} is given twice", ctx)


def _arguments(command: click.Command) -> str:
    names = [p.human_readable_name for p in command.params if isinstance(p, click.Argument)]
    return " and ".join(names) or "options only"
