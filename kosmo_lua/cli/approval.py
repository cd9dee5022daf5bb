"""Asking on the terminal whether a write may go on."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from kosmo_lua.policy import Question


def on_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


class Approval:
    """Shows each call and waits for an answer, until somebody says always.

    `undisturbed` keeps the terminal clear meanwhile, of whatever else is shown there.
    """

    def __init__(
        self, undisturbed: "Callable[[], AbstractContextManager[None]]" = nullcontext
    ) -> None:
        self._undisturbed = undisturbed
        self._always: set[tuple[str, str]] = set()

    def ask(self, question: "Question") -> bool:
        """Return whether the call may go on."""
        if (question.function, question.account) in self._always:
            return True
        with self._undisturbed():
            return self._ask(question)

    def _ask(self, question: "Question") -> bool:
        import json  # noqa: PLC0415  # the journal has loaded it

        arguments = json.dumps(question.arguments, sort_keys=True)
        shown = arguments if len(arguments) <= 500 else f"{arguments[:500]}..."  # noqa: PLR2004  # a few lines
        wants = (
            f"{question.function} of the account {question.account} wants to {question.access}:"
        )
        click.echo(f"{wants}\n  {shown}", err=True)
        click.echo("Allow it? [y/N/a], a: always for this run: ", err=True, nl=False)
        answer = _answer().strip().lower()
        if answer in ("a", "always"):
            self._always.add((question.function, question.account))
        return answer in ("y", "yes", "a", "always")


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
