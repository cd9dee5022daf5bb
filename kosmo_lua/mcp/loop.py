"""Loop: an event loop on a thread of its own, for callers that know nothing of one.

Importing this imports asyncio: it is for those who contact a server.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from threading import RLock, Thread
from typing import Any, TypeVar

from kosmo_lua.errors import Interrupted

Value = TypeVar("Value")
Event = tuple[float, float | None, str | None]
"""What a server says while it works: how much is done, of how much, and a message."""

_LAST_WORDS = 1.0
"""Seconds in which the requests that are cut may tell their servers so."""
_JOIN = 1.0


class Loop:
    """Runs coroutines for any thread. Its own thread does not keep the process alive."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # Else the one that asyncio makes is waited for at the end, however long a look-up of a name takes.
        self._executor = ThreadPoolExecutor(4, "kosmo-mcp")
        self._loop.set_default_executor(self._executor)
        # What a session that ends leaves behind is nobody's to read; its own error says what happened.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._lock = RLock()
        self._closed = False
        self._under_way = set[Future[Any]]()
        self._thread = Thread(target=self._run, name="kosmo-mcp", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def submit(self, work: Callable[[], Coroutine[Any, Any, Value]]) -> Future[Value]:
        """Let work begin.

        Raises:
            Interrupted: the loop has ended.
        """
        with self._lock:
            if self._closed:
                raise Interrupted
            future = asyncio.run_coroutine_threadsafe(work(), self._loop)
            self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future

    def close(self, end: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> None:
        """Cancel all work, do the last of it for at most so many seconds, and end the thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        last = asyncio.run_coroutine_threadsafe(self._end(end), self._loop)
        try:
            with suppress(TimeoutError, CancelledError):
                last.result(seconds + _LAST_WORDS)
        finally:  # also when Ctrl-C is pressed again
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_JOIN)

    async def _end(self, end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Cancel the requests, give them a moment to say so, and then do what is last."""
        futures = list(self._under_way)
        for future in futures:
            future.cancel()
        await asyncio.sleep(0)  # their tasks hear of it
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        requests = {task for task in tasks if task.cancelling()}
        if requests:
            await asyncio.wait(requests, timeout=_LAST_WORDS)
        await end()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_LAST_WORDS)
        await self._loop.shutdown_asyncgens()


def outcome_of(
    future: "Future[Value]",
    events: "SimpleQueue[Event | None] | None" = None,
    tell: Callable[[float, float | None, str | None], None] | None = None,
) -> Value:
    """Wait for work, tell its events on this thread, and return what it returned, or raise what it raised.

    Whatever ends the wait before (Ctrl-C on the main thread), cancels the work.

    Raises:
        Interrupted: the work was cancelled.
    """
    done = SimpleQueue[Event | None]() if events is None else events
    future.add_done_callback(lambda _future: done.put(None))
    try:
        while (event := done.get()) is not None:
            if tell:
                tell(*event)
        return future.result()
    except CancelledError:
        raise Interrupted from None
    except BaseException:
        future.cancel()
        raise
