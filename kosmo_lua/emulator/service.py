"""EmulatedService: what an integration implements so that an emulator can stand in for its service."""

import importlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from kosmo_lua.errors import ConfigError
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # starlette is not loaded before a fork
    from collections.abc import Sequence

    from starlette.responses import Response
    from starlette.routing import BaseRoute


MAX_BODY = 1024 * 1024
"""Bytes of a request's body, unless a service says otherwise."""


class EmulatedService(ABC):
    """One service: its routes, what was sent to it, and the shape of its errors.

    The endpoints are `async def` and share a thread; any thread may call `events` and `reset`.
    """

    routes: "Sequence[BaseRoute]"
    """The paths of the service, from the root of the address; none may begin with `/_kosmo/`."""

    max_body = MAX_BODY
    """Bytes of a request's body; a longer one is answered with 413."""

    @abstractmethod
    def events(self) -> list[JsonObject]:
        """Everything that was sent, oldest first.

        A field `received_at` (ISO 8601, UTC) puts the events of several services in order; `accepted` and
        `duplicate`, where a service has them, say how `Emulator.stats` counts one.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget what was sent and restore the seed data."""

    def error(self, status: int, path: str, retry_after: float | None) -> "Response | None":
        """What the service answers when it fails with `status`, or None for a line of plain text.

        `retry_after` is the wait in seconds that it asks for, where a fault says one.
        """
        del status, path, retry_after
        return None


def load(integration: str, reference: str) -> EmulatedService:
    """Make the emulated service of an integration, whose class is at `"module:Class"`.

    Raises:
        ConfigError: there is none.
    """
    module, _, attribute = reference.partition(":")
    try:
        service = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        message = f"The emulator of {integration} cannot be loaded from {reference!r}: {error}."
        raise ConfigError(message) from error
    if not isinstance(service, EmulatedService):
        message = f"The emulator of {integration}, {reference!r}, is not an EmulatedService."
        raise ConfigError(message)
    return service
