"""Runs: what makes sending something again harmless, also in another run.

Every write that a service can recognize carries an ID. `--run ID` makes the IDs of a run the same when it is
repeated: each is derived from a secret of the run and from what is sent, so that the service drops what it
has. The state of a run lies in the user's folder, below `runs/`; that of one on the emulator, which is a
rehearsal, apart from it.
"""

import hmac
import json
import os
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Self
from weakref import finalize

from kosmo_lua.errors import ConfigError, UsageError
from kosmo_lua.identity import now, uuids_of
from kosmo_lua.values import JsonObject

SALT = 32
"""Bytes of the secret of a run: Segment recognizes IDs over all its customers, so nobody may guess one."""


REMEMBERED = timedelta(hours=24)
"""For so long Segment recognizes an ID; PostHog does so on the same day.

Source: https://segment.com/docs/guides/duplicate-data/
"""


class Run:
    """A run that can be repeated.

    `time` is when it was started first: events that say no time get this one, because PostHog merges what
    comes twice only within a day.
    """

    def __init__(self, salt: bytes, time: str) -> None:
        self._salt = salt
        self.time = time
        self._lock = Lock()
        # On disk as soon as it is large, and gone with the process: memory stays flat.
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        finalize(self, self._seen.close)  # several threads may share a run: the last one closes it
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, times INT) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    @classmethod
    def open(cls, folder: str | None, run_id: str, *, emulated: bool) -> Self:
        """Return the run of this ID, which begins now if there was none.

        Raises:
            UsageError: the ID cannot be the name of a file.
            ConfigError: its state cannot be read or written.
        """
        check_run_id(run_id)
        if folder is None:
            message = "a run that can be repeated needs a folder of the user, and there is none"
            raise ConfigError(message, hint="Set KOSMO_HOME.")
        file = Path(folder, "runs", "emulator" if emulated else "", f"{run_id}.json")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(*_parsed(_state(file)))
        except (ValueError, KeyError, TypeError, RecursionError):
            message = f"{file} is not the state of a run"
            raise ConfigError(message, hint="Remove it, or use another ID.") from None
        except OSError as error:
            raise ConfigError(f"cannot keep the run in {file}: {error.strerror}") from None

    @property
    def is_old(self) -> bool:
        """Whether services may have forgotten what it has sent."""
        return datetime.now(UTC) - datetime.fromisoformat(self.time) > REMEMBERED

    def identity(self, function: str, account: str, arguments: JsonObject) -> "Repeated":
        """Return the identity of the next call with these arguments."""
        text = json.dumps([function, account, arguments], sort_keys=True)
        key = hmac.digest(self._salt, text.encode(), "sha256")
        with self._lock:
            [[times]] = self._seen.execute(
                "INSERT INTO seen VALUES (?, 1)"
                " ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times",
                [key],
            )
        return Repeated(key, int(times), self.time)


class Repeated:
    """The identity of a call that may have been made before, in an earlier attempt of the same run."""

    def __init__(self, key: bytes, occurrence: int, time: str) -> None:
        self._key = key
        self._occurrence = occurrence
        self._time = time
        self._ids = 0

    def new_id(self) -> str:
        """Return the same UUIDs in each attempt of the run."""
        self._ids += 1
        text = f"{self._occurrence}/{self._ids}".encode()
        [uuid] = uuids_of(hmac.digest(self._key, text, "sha256")[:16])
        return uuid

    def now(self) -> str:
        """Return when the run was started first."""
        return self._time


def check_run_id(run_id: str) -> None:
    """Return when an ID can be that of a run.

    Raises:
        UsageError: it has other characters, or too many.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", run_id):
        message = (
            "the ID of a run has 1 to 100 letters, digits, dots, hyphens and underscores,"
            " and begins with neither a dot nor a hyphen"
        )
        raise UsageError(message, hint="For example: --run import-2026-04-01")


def _parsed(text: str) -> tuple[bytes, str]:
    """Return the salt and the time of a state; raises what says that it is none."""
    state = json.loads(text)
    salt, time = bytes.fromhex(state["salt"]), state["time"]
    if len(salt) != SALT or datetime.fromisoformat(time).tzinfo is None:
        raise ValueError(text)
    return salt, time


def _state(file: Path) -> str:
    """Read the state of a run, or make it: of two processes at once, both get the same."""
    if not file.exists():
        fresh = file.with_name(f".{os.urandom(8).hex()}")
        fresh.touch(mode=0o600)
        try:
            fresh.write_text(json.dumps({"salt": os.urandom(SALT).hex(), "time": now()}))
            with fresh.open("rb") as written:
                # What is sent next must have the same IDs after a crash.
                os.fsync(written.fileno())
            os.link(fresh, file)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text(encoding="utf-8")
