"""The Lua code that a command is given: a file, stdin, or the text of an option."""

import os
import stat
import sys
from typing import NamedTuple

from kosmo_lua.cli.usage import refused
from kosmo_lua.lua.script import SOURCES

_CUT = 60
"""Bytes from which on Lua cuts the name of a file, from the left."""


class Source(NamedTuple):
    """A script: the name that its errors carry, its text, and where its modules are."""

    name: str
    text: bytes
    folders: tuple[str, ...]

    @classmethod
    def read(cls, file: str | None, code: str | None, folders: tuple[str, ...]) -> "Source":
        """Read the script. The modules of a file are below its own folder, too.

        Raises:
            click.UsageError: there is none, there are two, or it cannot be read.
        """
        if code is not None and file is not None:
            raise refused(f"--eval and a file ({file}) were both given: choose one")
        if code is not None:
            return cls("eval", os.fsencode(code), folders)
        if file is not None and file != "-":
            own = os.path.dirname(file) or "."
            return cls(_short(file), _read(file), (own, *folders))
        if sys.stdin is None or (file is None and sys.stdin.isatty()):
            raise refused(SOURCES)
        try:
            return cls("stdin", _plain(sys.stdin.buffer.read()), folders)
        except OSError as error:
            raise refused(f"cannot read stdin: {error.strerror}") from None

    def lines(self, file: str) -> list[str]:
        """Return the lines of the script, or of the module that an error names."""
        text: bytes | None = self.text
        if file != self.name:
            from kosmo_lua.lua.modules import Modules  # noqa: PLC0415  # only for an error in a module

            text = Modules(self.folders).source(file)
        return (text or b"").decode("utf-8", "replace").splitlines()


def _read(file: str) -> bytes:
    try:
        if not stat.S_ISDIR(os.stat(file).st_mode):
            with open(file, "rb") as script:
                return _plain(script.read())
        reason = "it is a directory, not a Lua file"
    except FileNotFoundError:
        raise refused(f"Lua file not found: {file}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    raise refused(f"cannot read {file}: {reason}")


def _plain(text: bytes) -> bytes:
    """Drop a byte order mark and turn a line `#!...` into a comment, as the command `lua` does."""
    text = text.removeprefix(b"\xef\xbb\xbf")
    return b"--" + text if text.startswith(b"#") else text


def _short(file: str) -> str:
    """Return how Lua names a file; of a path that it would cut, the last part says more."""
    return file if len(os.fsencode(file)) < _CUT else os.path.basename(file)[1 - _CUT :]
