"""Emulator: a server of emulated services, what was sent to them, and the faults that strike them.

A program may make one, fork, and then start it for its child. So starlette, uvicorn and asyncio, which take
0.2 s and have no place in a process that is about to fork, are loaded by `start` and not before.
"""

import heapq
import importlib.util
import itertools
import pickle
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self

from kosmo_lua.emulator.faults import Cut, Faults
from kosmo_lua.emulator.service import EmulatedService, load
from kosmo_lua.emulator.traffic import Stats, Traffic
from kosmo_lua.errors import ConfigError, ExtraMissing, UnknownIntegration, UsageError
from kosmo_lua.values import JsonObject

BACKLOG = 1024
"""Connections that may wait to be accepted; the system may allow fewer."""


class Emulator:
    """Serves emulated services on 127.0.0.1 in its own thread, once: from `start` to `stop`."""

    def __init__(self, services: Mapping[str, str], *, port: int = 0) -> None:
        """Take the port and listen: clients may connect at once and are answered after `start`.

        `services` maps the name of an integration to the `"module:Class"` of its emulated service,
        which is made when the emulator starts; `port` 0 takes any free one.

        Raises:
            ExtraMissing: starlette or uvicorn is not installed.
            ConfigError: the port cannot be used.
        """
        _require("starlette", "uvicorn")
        self._references = dict(services)
        self._services: dict[str, EmulatedService] = {}
        self._cleared: dict[str, int] = {}
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._faults = Faults()
        self._traffic = Traffic()
        self._end: Callable[[], None] | None = None
        self._socket = _listen(port)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Load the services and serve; returns when requests are answered.

        Raises:
            ConfigError: a service cannot be loaded.
        """
        with self._starting:  # threads that share it may all be the first
            if self._end is None:
                self._end = self._serve()

    def _serve(self) -> Callable[[], None]:
        if self._socket.fileno() < 0:
            raise UsageError("The emulator was stopped.", hint="Make a new Emulator.")
        from kosmo_lua.emulator.application import application  # noqa: PLC0415  # not before a fork
        from kosmo_lua.emulator.loop import serve  # noqa: PLC0415  # the same

        self._services = {name: load(name, where) for name, where in self._references.items()}
        app = application(self, self._services, self._faults, self._traffic)
        return serve(app, self._socket, self._traffic, backlog=BACKLOG)

    def stop(self) -> None:
        """End the server and free the port; what was sent can still be read. Harmless twice."""
        if self._end is not None:
            self._end()
        self.forget()

    def forget(self) -> None:
        """Close this process's copy of the socket only: for a forked child that does not serve."""
        self._end = None
        self._socket.close()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def service(self, integration: str) -> EmulatedService:
        """The service itself, to look at its data or to change it; after `start`.

        Raises:
            UnknownIntegration: no service of that name is emulated.
        """
        self._check(integration)
        if integration not in self._services:
            raise UsageError("The emulator has not been started.", hint="Call start() first.")
        return self._services[integration]

    def events(self, integration: str | None = None) -> list[JsonObject]:
        """Everything that was sent to the services, or to one of them, oldest first, as copies.

        Raises:
            UnknownIntegration: no service of that name is emulated.
        """
        if integration is not None:
            self._check(integration)
        recorded = self._recorded(integration)
        merged = heapq.merge(*recorded, key=lambda event: str(event.get("received_at")))
        # A quarter of the time of deepcopy, which tests with 10,000 events feel.
        copies: list[JsonObject] = pickle.loads(pickle.dumps([*merged]))  # noqa: S301  # our own
        return copies

    def _recorded(self, integration: str | None = None) -> list[list[JsonObject]]:
        """What was sent to each service since it was cleared."""
        with self._lock:
            return [
                service.events()[self._cleared.get(name, 0) :]
                for name, service in self._services.items()
                if integration in {None, name}
            ]

    def clear_events(self) -> None:
        """Forget what was sent and nothing else: changed data stays, and ids that were seen."""
        with self._lock:
            for name, service in self._services.items():
                self._cleared[name] = len(service.events())

    def stats(self) -> Stats:
        """Count what came since the last `reset`: connections, requests, faults, and events by their fate.

        Events that `clear_events` forgot are not counted.
        """
        return self._traffic.stats(itertools.chain.from_iterable(self._recorded()))

    def fault(  # noqa: PLR0913  # the fields of a fault, all optional
        self,
        *,
        status: int | None = None,
        retry_after: float | str | None = None,
        headers: Mapping[str, str | None] | None = None,
        delay: float = 0,
        cut: Cut | None = None,
        times: int | None = None,
        chance: float | None = None,
        seed: int | None = None,
        path: str | None = None,
        method: str | None = None,
        body: str | None = None,
    ) -> None:
        """Let the next `times` matching requests go wrong, or a `chance` of them.

        Without `times` that is one request, and with `chance` alone there is no end. The fields are those
        of `faults.Fault`.

        Raises:
            InvalidArguments: the fields make no fault.
        """
        answer = {"status": status, "retry_after": retry_after, "body": body}
        often = {"times": times, "chance": chance, "seed": seed}
        where = {"path": path, "method": method, "cut": cut, "delay": delay}
        self._faults.arm({**answer, **often, **where, "headers": dict(headers or {})})

    def reset(self) -> None:
        """Forget what was sent and counted, disarm the faults and restore the seed data."""
        with self._lock:
            self._cleared = {}
            self._faults.disarm()
            self._traffic.reset()
            for service in self._services.values():
                service.reset()

    def _check(self, integration: str) -> None:
        if integration not in self._references:
            known = ", ".join(sorted(self._references))
            raise UnknownIntegration(f"No integration {integration!r} is emulated, only: {known}.")


def _require(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            message = f"The emulator needs {package}, which is not installed."
            raise ExtraMissing(message, hint='pip install "kosmo-lua[emulator]"')


def _listen(port: int) -> socket.socket:
    reason = "a port is a number from 0 to 65535"
    if 0 <= port <= 65535:  # noqa: PLR2004  # said in the line above
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        except OSError as error:
            reason = str(error.strerror)
        else:
            # Connections inherit it. asyncio sets it only on a socket that names its protocol, and
            # without it an answer in two packets waits 40 ms for the client's acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return listener
    message = f"The emulator cannot listen on port {port} of 127.0.0.1: {reason}."
    raise ConfigError(message, hint="Choose another port, or 0 for any free one.")
