"""serve: a thread in which asyncio runs an ASGI application on uvicorn's HTTP protocol.

Not with `uvicorn.Server`: that one polls and sleeps, takes 0.2 s to end and waits for every open request,
which a suite of tests pays hundreds of times. Nor does it let a fault abort the connection of a request.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Thread

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from kosmo_lua.emulator.traffic import Traffic

GRACE = 0.25
"""Seconds that requests in progress get to finish when the emulator stops."""

KEEP_ALIVE = 75
"""Seconds that a connection may idle, as behind nginx: the 5 of uvicorn end it in a wait for a retry."""

_log = logging.getLogger("kosmo_lua.emulator")

_Started = Future[Callable[[], object]]
"""Settled when connections are accepted: with the function that asks the loop to end."""

_Connections = Callable[[ServerState], Callable[[], H11Protocol]]
"""What makes the protocols of new connections, which belong to a state."""


def serve(
    app: ASGIApp, listener: socket.socket, traffic: Traffic, *, backlog: int
) -> Callable[[], None]:
    """Serve in a new thread until the returned function is called, which waits for the end."""
    started = _Started()
    connections = partial(_protocols, app, traffic)
    arguments = (connections, listener, backlog, started)
    thread = Thread(target=_run, args=arguments, name="kosmo-emulator", daemon=True)
    thread.start()
    end = started.result()

    def stop() -> None:
        end()
        thread.join()

    return stop


def _run(
    connections: _Connections, listener: socket.socket, backlog: int, started: _Started
) -> None:
    try:
        asyncio.run(_serve(connections, listener, backlog, started))
    except Exception as error:
        if started.done():
            raise
        started.set_exception(error)


async def _serve(
    connections: _Connections, listener: socket.socket, backlog: int, started: _Started
) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    state = ServerState()
    # asyncio calls listen again, and without a number it would shorten the queue.
    server = await loop.create_server(connections(state), sock=listener, backlog=backlog)
    started.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
    await stopping.wait()
    server.close()
    await _drain(state)


def _protocols(app: ASGIApp, traffic: Traffic, state: ServerState) -> Callable[[], H11Protocol]:
    """What makes the protocol of a new connection."""
    config = Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
    )
    config.load()

    def connect() -> H11Protocol:
        connection: dict[str, object] = {}
        protocol = H11Protocol(config, state, connection)
        protocol.logger, protocol.access_log = _log, False
        # uvicorn copies this into the scope of each request, where a fault finds what to cut.
        connection["protocol"] = protocol
        traffic.accepted(protocol)
        return protocol

    return connect


async def _drain(state: ServerState) -> None:
    """Let the requests in progress finish for a moment, then cut every connection."""
    # What the loop has accepted or read becomes a connection or a request in its next round.
    await asyncio.sleep(0)
    await _finish(state)
    while state.connections:
        for connection in set(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
    await _finish(state)


async def _finish(state: ServerState) -> None:
    if state.tasks:
        await asyncio.wait(set(state.tasks), timeout=GRACE)
