"""Shell completion, by click's own mechanism: `eval "$(_KOSMO_COMPLETE=bash_source kosmo)"`."""

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

from kosmo_lua.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@add_completion_class
class ColonBashComplete(BashComplete):
    """Bash ends words at `:` and `=`; here `integrations:call` and `--account=work` are words."""

    _after_colon = False

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, put together again, and the one that is being typed."""
        words, at = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        *before, typed = _joined([*words[1:at], words[at] if at < len(words) else ""])
        self._after_colon = ":" in typed
        return before, typed

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return a completion; after a colon, bash replaces only what stands behind it."""
        value = str(item.value)
        return f"{item.type},{value.rpartition(':')[2] if self._after_colon else value}"


def complete(cli: click.Command, instruction: str) -> int:
    """Answer the shell, and return the exit status; what goes wrong shall not disturb who types.

    Raises:
        UsageError: the instruction is not one of those for the shells.
    """
    known = [f"{shell}_{action}" for action in ("source", "complete") for shell in SHELLS]
    if instruction not in known:
        shown = " or ".join(known[: len(SHELLS)])
        message = f"_KOSMO_COMPLETE is {instruction}: it must be {shown}"
        raise UsageError(message, hint="Unset it, unless a shell is to complete what you type.")
    try:
        return shell_complete(cli, {}, "kosmo", "_KOSMO_COMPLETE", instruction)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001  # a stranger's package may raise anything
        return 1


def _joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        last = joined[-1] if joined else ""
        breaks = (last == "integrations" and word == ":") or (last[:2] == "--" and word == "=")
        if joined and (breaks or last == "integrations:" or (last[:2], last[-1:]) == ("--", "=")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined
