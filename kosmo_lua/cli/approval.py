"""Asking on the terminal whether a write may go on."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kosmo_lua.policy import Question


def on_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: "Question") -> bool:
    """Show a call and wait for yes or no."""
    import json  # noqa: PLC0415  # the journal has loaded it

    arguments = json.dumps(question.arguments, sort_keys=True)
    shown = arguments if len(arguments) <= 500 else f"{arguments[:500]}..."  # noqa: PLR2004  # a few lines
    click.echo(f"{question.function} of the account {question.account} wants to write:", err=True)
    click.echo(f"  {shown}", err=True)
    click.echo("Allow it? [y/N]: ", err=True, nl=False)
    return _answer().strip().lower() in ("y", "yes")


def _answer() -> str:
    """Read a line from the terminal; its end is an empty one."""
    from select import select  # noqa: PLC0415  # loaded by the supervisor

    # Not a blocking read: a signal that arrives just before it would be noticed only after the answer.
    while not select([sys.stdin], [], [], 0.1)[0]:
        pass
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        click.echo(err=True)
    return line


def with_force() -> str:
    """Return the command line of this process, with --force."""
    import shlex  # noqa: PLC0415  # only for a hint

    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return shlex.join(["kosmo", *arguments[:at], "--force", *arguments[at:]])
