"""Memory: how much of it Lua uses, and its limit, which holds only while a script runs."""

from functools import partial
from typing import TYPE_CHECKING

from kosmo_lua.lua.limits import Meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from lupa import lua54

ROOM = 65536
"""Bytes kept free below the limit when a text is handed to Lua, so that pushing it cannot fail."""

LAST = 1 << 20
"""Bytes that a script may still use once its run is over, so that the end can be told."""

LARGEST = (1 << 63) - 1
"""The largest integer of Lua; what is larger would arrive there as an exception, an object of Python."""


class Memory:
    """The memory of a Lua state. What it used before the first script does not count."""

    def __init__(self, lua: "lua54.LuaRuntime") -> None:
        self._lua = lua
        # The total; told by keyword, it takes three times as long.
        self._used: Callable[[], int] = partial(lua.get_memory_used, True)
        lua.gccollect()
        self._base = self._used()
        self._limit = self._most = 0

    def limit(self, size: int, meter: Meter, *, kept: bool) -> None:
        """Let no more than `size` bytes be used. `kept`: what earlier scripts have left may fill them."""
        self._size = size
        self._meter = meter
        limit = self._base + size
        if kept:  # there must be room to free it
            self._lua.gccollect()
            limit = max(limit, min(self._used(), limit) + ROOM)
        self._most = 0
        self._set(min(limit, LARGEST))

    def lift(self) -> None:
        """Let the limit be: no script runs."""
        self.sample()
        self._set(0)

    def relax(self) -> None:
        """The run is over: leave room to say so, but not to go on."""
        self._set(self.sample() + LAST)

    def _set(self, limit: int) -> None:
        self._limit = limit
        self._lua.set_max_memory(limit, total=True)

    def fits(self, size: int) -> bool:
        """Whether a text of so many bytes can be handed to Lua."""
        return not self._limit or self.sample() + size + ROOM <= self._limit

    def sample(self) -> int:
        """Note how much is used, for the peak, and return it. After `relax` it may exceed the limit."""
        used = self._used()
        if used > self._most:
            self._most = used
            self._meter.remember(min(max(0, used - self._base), self._size))
        return used
