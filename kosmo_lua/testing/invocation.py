"""Invocation: a function called by itself, without the path that permits and records calls."""

from typing import Any

from kosmo_lua.errors import Effect
from kosmo_lua.http import Exchange
from kosmo_lua.identity import Fresh
from kosmo_lua.integration import Api, Event, Function, JsonObject
from kosmo_lua.results import Reason
from kosmo_lua.values import Json


class _Unwatched:
    """Nobody is told what the call does."""

    def sends(self) -> None:
        """A request is about to leave the machine."""

    def waits(self, seconds: float, reason: Reason, status: int | None, effect: Effect) -> None:
        """It waits; a call without a retry budget does so for a rate limit only."""

    def progresses(self, done: float, total: float | None, message: str | None) -> None:
        """Somebody works on it."""


def invoke(function: Function, api: Api[Any], arguments: JsonObject) -> Json:
    """Return what a function gives for these arguments; nothing that failed is sent again.

    Raises:
        KosmoError: as the call in a script.
    """
    _begin(api)
    return function.invoke(api, function.validate(arguments))


def make_event(function: Function, api: Api[Any], arguments: JsonObject) -> Event:
    """Return the event that a function makes, for one that does, and send nothing."""
    assert function.event is not None, "it was looked for"
    _begin(api)
    return function.event(api, function.validate(arguments))


def _begin(api: Api[Any]) -> None:
    api.begin(Exchange(identity=Fresh(), watch=_Unwatched(), sleep=lambda _: True))
