"""Iterations: lists that are read page by page, the next page while the script works on this one."""

from itertools import count
from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.concurrent import Concurrent
from kosmo_lua.calls.path import Calls
from kosmo_lua.values import Json

if TYPE_CHECKING:  # httpx, as in path
    from collections.abc import Iterator

    from kosmo_lua.http import Api
    from kosmo_lua.integration import Rows


class _Iteration:
    """One list that is being read."""

    def __init__(self, call: Call) -> None:
        self.call = call
        """That of the page that was asked for last."""
        self._pages: Iterator[Rows] | None = None

    def read(self, api: "Api[Any]", checked: Any) -> Json:  # noqa: ANN401  # the arguments of any function
        """Read the next page, on the thread of its call."""
        pages = self.call.target.function.pages
        assert pages is not None, "it was opened"
        if self._pages is None:
            self._pages = pages(api, checked)
        rows, self.call.more = next(self._pages)
        return rows


class Iterations:
    """The lists that a script is reading."""

    def __init__(self, calls: Calls, concurrent: Concurrent) -> None:
        self._calls = calls
        self._concurrent = concurrent
        self._open: dict[int, _Iteration] = {}
        self._handles = count(1)

    def open(self, call: Call) -> int:
        """Begin to read a list by a prepared call; return its handle."""
        handle = next(self._handles)
        iteration = self._open[handle] = _Iteration(call)
        self._concurrent.submit(call, iteration.read)
        return handle

    def page(self, handle: int) -> int:
        """Return the number of the call that reads the next page; 0 after the last one."""
        iteration = self._open.get(handle)
        return iteration.call.number if iteration else 0

    def collect(self, handle: int) -> Json:
        """Return the page whose call has ended, and begin to read the one after it."""
        iteration = self._open[handle]
        try:
            rows = self._concurrent.collect(iteration.call.number)
        except BaseException:
            del self._open[handle]
            raise
        if iteration.call.more:
            iteration.call = self._calls.follow(iteration.call)
            self._concurrent.submit(iteration.call, iteration.read)
        else:
            del self._open[handle]
        return rows

    def close(self, handle: int) -> None:
        """Read no further."""
        self._open.pop(handle, None)
