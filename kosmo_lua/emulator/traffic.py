"""Stats: what came to an emulator, in numbers; and Traffic, which counts connections and requests."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakSet

from kosmo_lua.values import JsonObject

CONTROL = "/_kosmo/"
"""What the paths begin with at which an emulator is asked about itself."""


@dataclass(frozen=True)
class Stats:
    """What came since the last reset, without what was sent to the emulator's own paths."""

    connections: int
    """TCP connections that were accepted; each may carry many requests."""
    requests: dict[str, int]
    """Requests that began, by their path without its query; also those that a fault struck."""
    faults: int
    """Requests that a fault struck."""
    accepted: int = 0
    """Events that a service took, each counted once."""
    duplicates: int = 0
    """Events that a service took before."""
    dropped: int = 0
    """Events that a service answered well and then dropped."""


class Traffic:
    """Counts for any thread; a connection is any object that stands for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Count from nought. Connections that are open stay uncounted."""
        with self._lock:
            self._connections = 0
            self._unused: WeakSet[object] = WeakSet()
            self._requests: Counter[str] = Counter()
            self._faults = 0

    def accepted(self, connection: object) -> None:
        """Count a connection."""
        with self._lock:
            self._connections += 1
            self._unused.add(connection)

    def requested(self, connection: object, path: str) -> None:
        """Count a request. A connection that begins by asking the emulator itself was none."""
        with self._lock:
            is_first = connection in self._unused
            self._unused.discard(connection)
            if not path.startswith(CONTROL):
                self._requests[path] += 1
            elif is_first:
                self._connections -= 1

    def struck(self) -> None:
        """Count a request that goes wrong."""
        with self._lock:
            self._faults += 1

    def stats(self, events: Iterable[JsonObject]) -> Stats:
        """What was counted since the last reset, with these events."""
        fates = Counter(_fate(event) for event in events)
        with self._lock:
            counted = (self._connections, dict(self._requests), self._faults)
        return Stats(*counted, fates["accepted"], fates["duplicate"], fates["dropped"])


def _fate(event: JsonObject) -> str:
    """What became of an event. A service need not say: then it takes all."""
    if not event.get("accepted", True):
        return "dropped"
    return "duplicate" if event.get("duplicate") else "accepted"
