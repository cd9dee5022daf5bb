"""Iterations: lists that are read page by page, the next page while the script works on this one."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.concurrent import Concurrent
from kosmo_lua.calls.path import Calls
from kosmo_lua.calls.tally import Tally
from kosmo_lua.values import Json

if TYPE_CHECKING:  # httpx, as in path
    from kosmo_lua.http import Api
    from kosmo_lua.integration import Rows

Arrange = Callable[[Json], Any]
"""Makes of the rows of a page what its reader wants of them."""

LAST = 0
"""Said instead of the number of a call: there is no further page."""


class _Iteration:
    """One list that is being read."""

    def __init__(self, call: Call) -> None:
        self.call = call
        """That of the page that was asked for last."""
        self.is_asked = True
        """Whether that page was not collected yet."""
        self._pages: Iterator[Rows] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to collect, and nothing to ask for."""
        return not (self.is_asked or self.call.more)

    def read(self, api: "Api[Any]", checked: Any) -> Json:  # noqa: ANN401  # the arguments of any function
        """Read the next page, on the thread of its call."""
        pages = self.call.target.function.pages
        assert pages is not None, "it was opened"
        if self._pages is None:
            self._pages = pages(api, checked)
        rows, self.call.more = next(self._pages, ([], False))
        return rows


class Iterations:
    """The lists that a script is reading. Each page is a call; `requests` counts those after the first."""

    def __init__(
        self,
        calls: Calls,
        concurrent: Concurrent,
        handles: Iterator[int],
        requests: Tally,
        arrange: Arrange,
    ) -> None:
        self._calls = calls
        self._concurrent = concurrent
        self._open: dict[int, _Iteration] = {}
        self._handles = handles
        self._requests = requests
        self._arrange = arrange

    def open(self, call: Call) -> int:
        """Begin to read a list by a prepared call; return its handle."""
        handle = next(self._handles)
        iteration = self._open[handle] = _Iteration(call)
        self._ask(iteration)
        return handle

    def _ask(self, iteration: _Iteration) -> None:
        """Let its page be read and arranged on another thread."""
        call, work, arrange = iteration.call, iteration.read, self._arrange
        self._concurrent.run(
            call.number, lambda: arrange(self._calls.perform(call, work)), told="end"
        )

    def page(self, handle: int) -> int | None:
        """Return the number of the call that reads the next page; LAST after the last one.

        None: there is one, but it was not asked for, because `collect` was not to.
        """
        iteration = self._open.get(handle)
        if iteration is None or iteration.has_ended:
            return LAST
        return iteration.call.number if iteration.is_asked else None

    def collect(self, handle: int, *, ahead: bool) -> Any:  # noqa: ANN401  # what `arrange` has made
        """Return the page whose call has ended, and ask for the one after it if `ahead`."""
        iteration = self._open[handle]
        iteration.is_asked = False
        try:
            rows = self._concurrent.collect(iteration.call.number)
        except BaseException:
            del self._open[handle]
            raise
        if iteration.has_ended:
            del self._open[handle]
        elif ahead:
            iteration.call = self._calls.follow(iteration.call)
            self._ask(iteration)
            iteration.is_asked = True
            self._requests.add()
        return rows

    def close(self, handle: int) -> None:
        """Read no further."""
        iteration = self._open.pop(handle, None)
        if iteration and iteration.is_asked:
            self._concurrent.forget(iteration.call.number)
