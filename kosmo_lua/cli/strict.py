"""Commands that take secrets, or decide who may do what: they take a command line exactly as it is meant."""

import click

from kosmo_lua.cli.usage import OnceCommand


class StrictCommand(OnceCommand):
    """A command that never repeats a word that it did not expect: click would, and it may be a key."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args:
            raise click.UsageError(f"too many words: it takes {_arguments(self)}", ctx)
        return rest


def _arguments(command: click.Command) -> str:
    names = [p.human_readable_name for p in command.params if isinstance(p, click.Argument)]
    return " and ".join(names) or "options only"
