"""Script: a Lua program and what is said about it before it runs."""

from typing import NamedTuple, Self

from kosmo_lua.errors import ScriptRefused, UsageError
from kosmo_lua.values import Json

SOURCES = "Provide a Lua file, --eval code, or pipe Lua code on stdin."


class Script(NamedTuple):
    """A Lua program: its text, the name that its errors carry, and its arguments (the table `arg`)."""

    code: bytes
    name: str = "eval"
    arguments: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Where `require` looks for modules."""
    show: bool = False
    """Print the values of the code, which may then be an expression, instead of returning them."""

    def check(self) -> None:
        """Refuse what cannot even be compiled.

        Raises:
            UsageError: there is no code.
            ScriptRefused: the text is not UTF-8.
        """
        if not self.code.strip():
            raise UsageError("there is no Lua code to run", hint=SOURCES)
        try:
            self.code.decode()
        except UnicodeDecodeError as error:
            line = self.code.count(b"\n", 0, error.start) + 1
            message = f"{self.name}:{line}: the script is not valid UTF-8"
            raise ScriptRefused(message, hint="Write it in UTF-8.") from None

    def to_json(self) -> list[Json]:
        """Return it as JSON, to cross to another process; it was checked."""
        code, name, arguments, folders, show = self
        return [code.decode(), name, [*arguments], [*folders], show]

    @classmethod
    def from_json(cls, code: str, name: str, *lists: list[str], show: bool) -> Self:
        """Make it of the JSON of another process."""
        arguments, folders = map(tuple, lists)
        return cls(code.encode(), name, arguments, folders, show)
