"""What is wrong with a command line."""

import click


def refused(message: str) -> click.UsageError:
    """Return the error that says so, and whose hint is the help of the command that runs."""
    return click.UsageError(message, click.get_current_context())
