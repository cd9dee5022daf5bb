"""Recording: the calls of a run in a file, from which the run can be replayed without any service.

The file is JSON, a value on each line, in UTF-8. The first line is the header:

    {"kosmo_recording": 1, "kosmo": "0.1.0"}

then one for each call that has ended, in that order:

    {"function": ..., "account": ..., "arguments": {...}, "result": ...}
    "error": {"code": ...}      instead of a result: the facts of a KosmoError
    "page": 1, "more": true     in the line of a page of a list that is read to its end
    "queued": true, "bytes": n  in that of an event that a batch has taken; its result is its ID
    "tool": {"access": ...}     in that of a tool of an MCP server, which a replay does not ask what it is

and for each batch the report that it has returned: {"report": {...}}.
"""

import json
import os
import stat
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from kosmo_lua import __version__
from kosmo_lua.errors import KosmoError, UsageError
from kosmo_lua.results import Delivery, plain
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # they know what a recording is
    from kosmo_lua.calls.call import Call
    from kosmo_lua.calls.clients import Clients
    from kosmo_lua.integration import Function
    from kosmo_lua.journal import Record

FORMAT = 1
LONGEST = 32 * 1024 * 1024
"""Bytes of a line. No script could take a longer answer into its memory, unless its limit was raised."""

_FLAGS = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Made(NamedTuple):
    """A call as a recording tells it from others. `page` is 0, but for the pages of a list."""

    function: str
    account: str
    arguments: JsonObject
    page: int = 0
    queued: bool = False


def begin(path: str) -> None:
    """Make the file of a recording, with its header; one that is there is replaced.

    Raises:
        UsageError: it cannot be written, is a link, or no plain file.
    """
    header = {"kosmo_recording": FORMAT, "kosmo": __version__}
    try:
        # O_NONBLOCK: a named pipe without a reader fails here, and does not wait for one.
        descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_NONBLOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"cannot record to {path}: it is not a plain file")
            os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(header).encode() + b"\n")
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = "it is a link" if os.path.islink(path) else getattr(error, "strerror", error)
        message = f"cannot record to {path}: {reason}"
        raise UsageError(message, hint="Name a file in a folder that is there.") from None


class Recording:
    """Appends to the file that was begun. Several threads may write at once: lines are whole."""

    def __init__(self, path: str, record: "Record") -> None:
        self._path = path
        self._record = record
        self._lock = Lock()
        self._file: int | None = None
        self._open = True

    def keep(self, call: "Call", outcome: JsonObject, clients: "Clients") -> None:
        """Write a call that has ended and what it came to, without the secrets of the accounts."""
        made = call.made
        try:
            arguments = clients.masked(made.arguments, call.target)
            outcome = clients.masked(outcome, call.target)
        except (KosmoError, RecursionError):  # nobody knows what its secrets are, or where
            self._warn(f"a call of {made.function} was not recorded: it may hold a secret")
            return
        tool = _tool(call.target.function)
        self._call(made._replace(arguments=arguments), {**tool, **outcome})

    def _call(self, made: Made, outcome: JsonObject) -> None:
        page: JsonObject = {"page": made.page} if made.page else {}
        queued: JsonObject = {"queued": True} if made.queued else {}
        # Lua has no order of keys; a run that is recorded again should differ in what is new only.
        arguments = json.loads(json.dumps(made.arguments, sort_keys=True))
        facts = {"function": made.function, "account": made.account, "arguments": arguments}
        self._write({**facts, **page, **queued, **outcome}, made.function)

    def report(self, report: Delivery, clients: "Clients") -> None:
        """Write the report of a batch."""
        self._write(clients.masked({"report": plain(report)}), "a batch")

    def close(self) -> None:
        """Write no more."""
        with self._lock:
            self._open = False
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _write(self, line: JsonObject, function: str) -> None:
        try:
            data = _encoded(line)
        except (TypeError, ValueError, RecursionError):
            self._warn(f"what {function} returned is no JSON, and was not recorded")
            return
        if len(data) > LONGEST:
            size = f"{LONGEST // 1024**2} MiB"
            self._warn(f"an answer of {function} has more than {size}, and was not recorded")
            return
        with self._lock:
            if self._open:
                self._append(memoryview(data))

    def _append(self, data: memoryview) -> None:
        try:
            if self._file is None:
                self._file = os.open(self._path, _FLAGS | os.O_APPEND)
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self._open = False  # the calls go on; what comes now would leave a gap
            self._warn(f"the recording ends early: {error.strerror}")

    def _warn(self, sentence: str) -> None:
        self._record(["warning", sentence])


def _tool(function: "Function") -> JsonObject:
    """Return what a replay must know of a tool of an MCP server."""
    if not function.is_tool:
        return {}
    properties = function.schema().get("properties")
    parameters: list[Json] = [*properties] if isinstance(properties, dict) else []
    aliases: list[Json] = [*function.aliases]
    return {"tool": {"access": function.access, "aliases": aliases, "parameters": parameters}}


def _encoded(line: JsonObject) -> bytes:
    try:
        return json.dumps(line, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(line).encode() + b"\n"
