"""Audit: a log of every call, of all runs, which is only ever appended to.

A line is a JSON object: `time` (UTC), `user`, `pid`, `run_id`, `function`, `account`, `access`, `arguments`,
`effect`, `status`, `error` (its code, or null). Of the arguments it has a hash: the same have the same one.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from kosmo_lua.errors import ConfigError
from kosmo_lua.results import Call
from kosmo_lua.values import JsonObject

MAX_SIZE = 10 * 1024 * 1024
"""Bytes after which a new file is begun."""

KEPT = 5
"""Older files that are kept: audit.jsonl.1 is the newest of them."""

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT


class Audit:
    """The log in a file that only the user can read; it is made when the first call is written."""

    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, run_id: str, call: Call, arguments: str | None) -> None:
        """Append a call.

        Raises:
            OSError: the file cannot be written.
        """
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "user": _user(),
            "pid": os.getpid(),
            "run_id": run_id,
            "function": call.function,
            "account": call.account,
            "access": call.access,
            "arguments": arguments,
            "effect": call.effect,
            "status": call.status,
            "error": call.error.code if call.error else None,
        }
        self._append(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def _append(self, line: bytes) -> None:
        # One write to a file opened for appending: lines of several processes do not mix.
        try:
            descriptor = os.open(self._path, _FLAGS, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            descriptor = os.open(self._path, _FLAGS, 0o600)
        try:
            os.write(descriptor, line)
            if os.fstat(descriptor).st_size > MAX_SIZE:
                self._rotate()
        finally:
            os.close(descriptor)

    def _rotate(self) -> None:
        """Begin a new file, unless another process has done so just now."""
        from filelock import FileLock  # noqa: PLC0415  # once in 10 MiB

        with FileLock(f"{self._path}.lock"):
            with suppress(FileNotFoundError):  # so it is when nothing was called since
                if os.path.getsize(self._path) <= MAX_SIZE:
                    return
            for number in range(KEPT, 0, -1):
                older = f"{self._path}.{number - 1}" if number > 1 else self._path
                if os.path.exists(older):
                    os.replace(older, f"{self._path}.{number}")

    def read(self, problems: list[str]) -> Iterator[JsonObject]:
        """Return every call that is still kept, the oldest first.

        A line that is no call, as a full disk leaves one, is told in `problems`.

        Raises:
            ConfigError: a file cannot be read.
        """
        for number in range(KEPT, -1, -1):
            path = f"{self._path}.{number}" if number else self._path
            try:
                with open(path, "rb") as file:
                    for at, line in enumerate(file, 1):
                        if call := _call(line):
                            yield call
                        else:
                            problems.append(f"{path}, line {at} is no call")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise ConfigError(f"cannot read {path}: {error.strerror}") from None


def _call(line: bytes) -> JsonObject | None:
    try:
        call = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return call if isinstance(call, dict) else None


@cache
def _user() -> str:
    """Return who runs this process, as the system knows it and not as a variable says."""
    try:
        import pwd  # noqa: PLC0415  # not on Windows

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
