"""The ASGI application of an emulator: the routes of its services, and its own below `/_kosmo/`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from kosmo_lua.emulator.faults import Faults
from kosmo_lua.emulator.middleware import FaultMiddleware
from kosmo_lua.emulator.service import EmulatedService
from kosmo_lua.emulator.traffic import Traffic
from kosmo_lua.errors import InvalidArguments, UnknownIntegration
from kosmo_lua.values import Json

if TYPE_CHECKING:  # it imports this module
    from kosmo_lua.emulator.server import Emulator


def application(
    emulator: "Emulator",
    services: Mapping[str, EmulatedService],
    faults: Faults,
    traffic: Traffic,
) -> ASGIApp:
    """Everything that an emulator serves, as one ASGI application."""
    routes: list[BaseRoute] = [*Control(emulator, services, faults).routes]
    for service in services.values():
        routes.extend(service.routes)
    router = ExceptionMiddleware(Router(routes, redirect_slashes=False))
    return FaultMiddleware(router, services.values(), faults, traffic)


class Control:
    """The `/_kosmo/` routes: the emulator for a client in another process or language."""

    def __init__(self, emulator: "Emulator", integrations: Iterable[str], faults: Faults) -> None:
        self._emulator = emulator
        self._integrations = list(integrations)
        self._faults = faults
        self.routes = [
            Route("/_kosmo/health", self._health),
            Route("/_kosmo/events", self._events, methods=["GET"]),
            Route("/_kosmo/events", self._clear_events, methods=["DELETE"]),
            Route("/_kosmo/faults", self._armed, methods=["GET"]),
            Route("/_kosmo/faults", self._arm, methods=["POST"]),
            Route("/_kosmo/faults", self._disarm, methods=["DELETE"]),
            Route("/_kosmo/stats", self._stats, methods=["GET"]),
            Route("/_kosmo/reset", self._reset, methods=["POST"]),
        ]

    async def _health(self, _: Request) -> Response:
        return _json({"status": "ok", "integrations": [*self._integrations]})

    async def _events(self, request: Request) -> Response:
        try:
            events = self._emulator.events(request.query_params.get("integration"))
        except UnknownIntegration as error:
            return _json({"error": error.message}, 400)
        return _json({"events": [*events]})

    async def _clear_events(self, _: Request) -> Response:
        self._emulator.clear_events()
        return _json({"events": []})

    async def _armed(self, _: Request) -> Response:
        return _json({"faults": [*self._faults.armed()]})

    async def _arm(self, request: Request) -> Response:
        try:
            self._faults.arm(json.loads(await request.body()))
        except (ValueError, RecursionError):
            return _json({"error": 'The body must be JSON, for example {"status": 503}.'}, 400)
        except InvalidArguments as error:
            return _json({"error": error.message}, 400)
        return await self._armed(request)

    async def _disarm(self, request: Request) -> Response:
        self._faults.disarm()
        return await self._armed(request)

    async def _stats(self, _: Request) -> Response:
        return _json(asdict(self._emulator.stats()))

    async def _reset(self, _: Request) -> Response:
        self._emulator.reset()
        return _json({"events": [], "faults": []})


def _json(value: Json, status: int = 200) -> Response:
    # ASCII: a service may have accepted half a surrogate pair, which no UTF-8 can carry.
    return Response(json.dumps(value), status, media_type="application/json")
