"""Reading and writing the files of the configuration."""

import os
import stat
import tomllib
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from kosmo_lua.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from typing import Any

    Document = MutableMapping[str, Any]

LOCK_SECONDS = 20
"""How long a change waits for others that are being made."""

MAX_SIZE = 4 * 1024 * 1024
"""Bytes of the largest file that is read; a project's comes from a stranger."""


def read(path: str, *, secret: bool = False) -> dict[str, object]:
    """Read a file; a secret one only when nobody else can.

    Raises:
        ConfigError: it cannot be read, or is no TOML; says the line, or what makes it secret.
    """
    return _parsed(text_of(path, secret=secret), path)


def text_of(path: str, *, secret: bool = False) -> str:
    """Return what a file says; of a secret one only when nobody else can read it.

    Raises:
        ConfigError: it cannot be read, is too large, is no file, or is not UTF-8.
    """
    try:
        facts = Path(path).stat()
        if not stat.S_ISREG(facts.st_mode):  # a device would be endless, and a pipe never answer
            raise ConfigError(f"cannot read {path}: it is not a file")
        if facts.st_size > MAX_SIZE:
            raise ConfigError(f"cannot read {path}: it is larger than {MAX_SIZE:,} bytes")
        if secret and os.name == "posix" and facts.st_mode & 0o077:
            mode = stat.S_IMODE(facts.st_mode)
            message = f"{path} can be read by others (mode {mode:04o}), and holds credentials"
            raise ConfigError(message, hint=f"Run: chmod 600 {path}")
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not valid UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None


def _parsed(text: str, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}"
        raise ConfigError(message, hint="Correct that line.") from None
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply") from None


def change(
    path: str,
    edit: "Callable[[Document], None]",
    *,
    check: "Callable[[dict[str, object]], object]",
    lock: str,
    secret: bool = False,
    mode: int = 0o600,
) -> None:
    """Change a file; of two processes at once, each finds what the other has written.

    Comments and order stay, and the file is replaced as a whole. `edit` is called with the tables as they
    are written and as plain values, and must do the same to both. `check` refuses what the file may not say,
    before and after. `lock` is the file that says whose turn it is, `secret` is as for `read`, and `mode` is
    that of a new file.

    Raises:
        ConfigError: it cannot be read or written.
    """
    import tomlkit  # noqa: PLC0415  # only to write
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415  # the same

    try:
        with turn(path, lock):
            text = text_of(path, secret=secret) if os.path.lexists(path) else ""
            wanted, document = _parsed(text, path), tomlkit.parse(text)
            check(wanted)
            edit(wanted)
            check(wanted)
            edit(document)
            text = document.as_string()
            if not _says(text, wanted):  # of some ways to write tables tomlkit loses one
                raise _by_hand(path, "its tables are written in an unusual way")
            replace(Path(path).resolve(), text, mode)
    except TOMLKitError as error:
        raise _by_hand(path, str(error)) from None


@contextmanager
def turn(path: str, lock: str) -> "Iterator[None]":
    """Hold the lock while a file is changed; its folder is made.

    Raises:
        ConfigError: another process holds it for too long, or the file cannot be written.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415  # only to write

    try:
        for folder in (Path(lock).parent, Path(path).parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(lock, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        message = f"{path} is being changed by another process"
        raise ConfigError(message, hint="Try again.") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _says(text: str, wanted: object) -> bool:
    """Whether a text says all that it should say, and nothing else; an empty table says nothing."""
    try:
        return _pruned(tomllib.loads(text)) == _pruned(wanted)
    except tomllib.TOMLDecodeError:
        return False


def _pruned(value: object) -> object:
    if not isinstance(value, dict):
        return value
    items = {key: _pruned(item) for key, item in value.items()}
    return {key: item for key, item in items.items() if item != {}}


def _by_hand(path: str, reason: str) -> ConfigError:
    return ConfigError(f"cannot change {path}: {reason}", hint="Change it in an editor.")


def replace(file: Path, text: str, mode: int) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one; its mode stays.

    Raises:
        ConfigError: something else is there; a device or a pipe would be lost.
        OSError: it cannot be written.
    """
    if file.exists():
        found = file.stat().st_mode
        if not stat.S_ISREG(found):
            raise ConfigError(f"cannot write {file}: it is not a file")
        mode = stat.S_IMODE(found)
    with NamedTemporaryFile("wb", dir=file.parent, delete=False) as temporary:
        try:
            os.fchmod(temporary.fileno(), mode)
            temporary.write(text.encode())
            temporary.flush()
            os.fsync(temporary.fileno())
            Path(temporary.name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(temporary.name).unlink()
            raise
