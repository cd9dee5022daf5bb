"""The limits of a run, and the meter from which its use of them is read, also from another process."""

from collections.abc import Callable
from typing import NamedTuple

from kosmo_lua.errors import ConfigError
from kosmo_lua.values import JsonObject

GRACE = 0.25
"""Seconds that a script gets to end by itself, with the line where it was, before it is ended."""


class Limits(NamedTuple):
    """What one run may use. CPU counts Lua's time only, not waiting and not the work of a call."""

    cpu: float = 30.0
    """Seconds of CPU that Lua may use."""
    wall: float = 3600.0
    """Seconds that the run may take."""
    memory: int = 32 * 1024 * 1024
    """Bytes of Lua's memory."""
    output: int = 8 * 1024 * 1024
    """Bytes that may be printed."""
    result: int = 16 * 1024 * 1024
    """Bytes of JSON that the script may return."""
    calls: int = 100_000
    """Calls of integrations."""

    def check(self) -> None:
        """Refuse a limit that limits nothing.

        Raises:
            ConfigError: a limit is not a number above 0.
        """
        for name, value in self._asdict().items():
            if not 0 < value < float("inf"):
                message = f"the {name} limit must be a number above 0, got {value}"
                raise ConfigError(message)

    def exceeded(self, limit: str, file: str | None = None, line: int | None = None) -> JsonObject:
        """Return the ending of a script that exceeded a limit, where it was if that is known."""
        where = f"{file}:{line}: " if file else ""
        info: JsonObject = {"code": limit, "type": limit, "file": file, "line": line}
        return {"error": where + self.sentence(limit), "info": info}

    def sentence(self, limit: str) -> str:
        """Say that a limit was exceeded: `CPU limit of 30 s exceeded`."""
        return {
            "cpu_limit": f"CPU limit of {self.cpu:g} s exceeded",
            "wall_limit": f"time limit of {self.wall:g} s exceeded",
            "memory_limit": f"memory limit of {self.memory:,} bytes exceeded",
            "output_limit": f"output limit of {self.output:,} bytes exceeded",
            "result_limit": f"result limit of {self.result:,} bytes exceeded",
            "call_limit": f"limit of {self.calls:,} calls exceeded",
        }[limit]


class Meter:
    """Five numbers that the script's side writes and its watcher reads: a page of shared memory will do."""

    STARTED, HOST, ENTERED, MEMORY, QUEUED = range(5)
    NUMBERS = 5
    SIZE = NUMBERS * 8

    def __init__(self, page: "memoryview[float] | list[float]") -> None:
        self._page = page
        self.reset()

    def reset(self) -> None:
        """Begin anew: nothing is used yet, and nothing counts."""
        self._page[self.STARTED] = self._page[self.ENTERED] = -1.0
        self._page[self.HOST] = self._page[self.MEMORY] = self._page[self.QUEUED] = 0.0

    def start(self, cpu: float) -> None:
        """Begin to count at this reading of the CPU clock."""
        self._page[self.STARTED] = cpu

    def enter(self, cpu: float) -> None:
        """Stop counting: from here on the CPU works for a call."""
        self._page[self.ENTERED] = cpu

    def leave(self, cpu: float) -> None:
        """Count again."""
        self._page[self.HOST] += cpu - self._page[self.ENTERED]
        self._page[self.ENTERED] = -1.0

    def remember(self, memory: int) -> None:
        """Take a sample of the memory in use."""
        self._page[self.MEMORY] = max(self._page[self.MEMORY], float(memory))

    def queue(self, cpu: float) -> None:
        """Count an event that waits for its batch, and not the seconds that the CPU has worked for it."""
        self._page[self.QUEUED] += 1
        self._page[self.HOST] += cpu

    @property
    def queued(self) -> int:
        """The events that batches have taken."""
        return int(self._page[self.QUEUED])

    @property
    def peak(self) -> int:
        """The highest sample of the memory in use, in bytes."""
        return int(self._page[self.MEMORY])

    def lua(self, cpu: float) -> float:
        """Return the seconds of CPU that Lua has used, at this reading of the CPU clock."""
        started, entered = self._page[self.STARTED], self._page[self.ENTERED]
        if started < 0:
            return 0.0
        return (entered if entered >= 0 else cpu) - started - self._page[self.HOST]


class Uncharged:
    """Work of the host between `with` and its end: it does not count as Lua's."""

    def __init__(self, meter: Meter, clock: Callable[[], float]) -> None:
        self._meter = meter
        self._clock = clock

    def __enter__(self) -> None:
        """Stop counting."""
        self._meter.enter(self._clock())

    def __exit__(self, *_: object) -> None:
        """Count again."""
        self._meter.leave(self._clock())


class Budget:
    """What is left of the time of one run."""

    def __init__(self, limits: Limits, meter: Meter, now: float) -> None:
        self._limits = limits
        self._meter = meter
        self._deadline = now + limits.wall
        self._left = limits.wall
        self._next_look = now

    def pause(self, now: float) -> None:
        """Let the clock stand: somebody is asked."""
        self._left = self._deadline - now
        self._deadline = float("inf")

    def resume(self, now: float) -> None:
        """Let the clock go on."""
        self._deadline = now + self._left
        self._next_look = now

    def exceeded(self, now: float, clock: Callable[[], float]) -> str | None:
        """Return the limit that is exceeded, if one is. `clock` is that of the CPU, read when one may be."""
        if now < self._next_look:
            return None
        cpu_left = self._limits.cpu - self._meter.lua(clock())
        if cpu_left <= 0:
            return "cpu_limit"
        if now >= self._deadline:
            return "wall_limit"
        # CPU time is never faster than the clock. A day or more is too much for select.
        left = min(cpu_left, self._deadline - now, 3600.0)
        self._next_look = now + max(left, 0.001)
        return None

    def patience(self, now: float) -> float:
        """Return for how many seconds no limit can be exceeded."""
        return max(self._next_look - now, 0.0)
