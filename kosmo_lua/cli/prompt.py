"""The prompt of the REPL: editing, history, statements of several lines, completion."""

import os
import re
from collections.abc import Callable, Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from kosmo_lua.config import Config
from kosmo_lua.lua.syntax import Syntax

Names = Callable[[str], list[str]]
"""Returns the names that a Lua table has now, of an expression such as `app.integrations`."""


class Prompt:
    """Reads one statement after another."""

    def __init__(self, names: Names) -> None:
        syntax = Syntax()
        self._prompt: PromptSession[str] = PromptSession(
            "> ",
            history=_history(),
            completer=_Completer(names),
            complete_while_typing=False,
            multiline=Condition(
                lambda: not syntax.is_complete(self._prompt.default_buffer.document.text)
            ),
            prompt_continuation=lambda *_: ">> ",
        )

    def read(self) -> str:
        """Read a statement.

        Raises:
            KeyboardInterrupt: Ctrl-C.
            EOFError: Ctrl-D.
        """
        return self._prompt.prompt()


class _Completer(Completer):
    """Completes the names that a table has now: globals, `app.integrations.segment.`, own tables."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002  # prompt_toolkit's signature
    ) -> Iterator[Completion]:
        typed = re.search(r"((?:[A-Za-z_]\w*\.)*)([A-Za-z_]\w*)?$", document.text_before_cursor)
        if typed is None:
            return
        table, start = typed[1].removesuffix(".") or "_G", typed[2] or ""
        for name in sorted(self._names(table)):
            if name.startswith(start):
                yield Completion(name, start_position=-len(start))


def _history() -> History:
    """Return the history of the user's folder, which nobody else can read: lines may hold secrets."""
    path = Config.here().path("history")
    if path is None:
        return InMemoryHistory()
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_APPEND, 0o600))
    return FileHistory(path)
