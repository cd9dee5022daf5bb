"""Modules: the Lua files that a script may load with `require`, below its own folders and nowhere else."""

import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress

from kosmo_lua.errors import InvalidArguments

MAX_NAME = 200
"""Characters of a module's name."""


class Modules:
    """The modules in some folders; the first folder that has one wins."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders

    def load(self, name: str) -> tuple[str, bytes]:
        """Return the file of a module, relative to its folder, and its text.

        Raises:
            InvalidArguments: there is no such module, or it is no text.
        """
        if not self._folders:
            message = "require: this script has no folder to load modules from"
            raise InvalidArguments(message, hint="Name one with --lua-path FOLDER.")
        if len(name) > MAX_NAME or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", name, re.ASCII):
            message = f"require: {name[:MAX_NAME]!r} is not the name of a module"
            raise InvalidArguments(message, hint='lib/users.lua is require "lib.users".')
        file = name.replace(".", "/") + ".lua"
        for folder in self._folders:
            source = _read(folder, file)
            if source is not None:
                return file, _text(file, source)
        message = f"require: there is no module {name}"
        hint = f"Is there a file {file} below the folder of the script, or one of --lua-path?"
        raise InvalidArguments(message, hint=hint)

    def source(self, file: str) -> bytes | None:
        """Return the text of a file that an error names, if it is one of the modules."""
        for folder in self._folders:
            with suppress(InvalidArguments, ValueError):
                if source := _read(folder, file):
                    return source
        return None


def _read(folder: str, file: str) -> bytes | None:
    """Read a file that is really below the folder; None where there is none."""
    path = os.path.join(folder, file)
    root = os.path.join(os.path.realpath(folder), "")
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        if not os.path.realpath(path).startswith(root):
            message = f"require: {file} leads out of its folder"
            raise InvalidArguments(message, hint="A module cannot be a link to a file elsewhere.")
        with open(path, "rb") as module:
            return module.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"require: cannot read {file}: {error.strerror}"
        raise InvalidArguments(message) from None


def _text(file: str, source: bytes) -> bytes:
    """Return the text of a module without a byte order mark; never bytecode."""
    source = source.removeprefix(b"\xef\xbb\xbf")
    try:
        source.decode()
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        message = f"require: {file}:{line} is not valid UTF-8"
        raise InvalidArguments(message, hint="Save the file as UTF-8.") from None
    return source
