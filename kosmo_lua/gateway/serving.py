"""Serving: a loop in a thread of its own, and a main thread that signals can reach."""

import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Thread

import anyio

from kosmo_lua.gateway.scripts import Scripts


def serve(work: Callable[[], Awaitable[None]], scripts: Scripts) -> None:
    """Run the work in a thread until it is done or a signal interrupts; then end the scripts.

    The loop has no time to end by itself: the SDK reads stdin in a thread that only a line, or the end of
    the process, can wake. So the caller ends the process.

    Raises:
        KeyboardInterrupt: the signal.
        BrokenPipeError: the client reads no more.
    """
    # The SDK and uvicorn log; nobody has asked for it, and what has no handler would go to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    done = Future[None]()
    Thread(target=_run, args=(work, done), name="kosmo-gateway", daemon=True).start()
    try:
        done.result()
    finally:
        scripts.end()


def _run(work: Callable[[], Awaitable[None]], done: Future[None]) -> None:
    try:
        anyio.run(work)
    except BaseException as error:  # noqa: BLE001  # handed to the main thread
        done.set_exception(_cause(error))
    else:
        done.set_result(None)


def _cause(error: BaseException) -> BaseException:
    """Return what is wrong, of an error that may be a group of one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
