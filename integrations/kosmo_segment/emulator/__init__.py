"""Segment's Tracking API and Public API, emulated in memory.

As strict as the real servers: the Tracking API answers 200 to nearly everything and drops what it cannot use
afterwards (`accepted` and `reason` of an event tell), the Public API checks its token. Nothing here is shared
with the adapter: a fake that shares its code agrees with its mistakes.

Sources: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
         https://segment.com/docs/connections/spec/common/
         https://docs.segmentapis.com/
"""

import copy

from starlette.responses import Response

from kosmo_lua.emulator import EmulatedService
from kosmo_lua.integration import JsonObject
from kosmo_segment.emulator.errors import public_error, tracking_error
from kosmo_segment.emulator.public import API_TOKEN, PublicApi
from kosmo_segment.emulator.seed import SOURCES, WORKSPACE, WRITE_KEY
from kosmo_segment.emulator.tracking import TrackingApi

__all__ = ["API_TOKEN", "WRITE_KEY", "SegmentEmulator"]


class SegmentEmulator(EmulatedService):
    """One workspace with three sources, and everything that was sent to them.

    `workspace` and `sources` are plain data in the shape of the Public API: change them as a test
    needs; `reset` restores them.
    """

    max_body = 16 * 1024 * 1024
    """Far above the limits of the Tracking API, which are in bytes of JSON and answered with 400."""

    def __init__(self) -> None:
        self._tracking = TrackingApi()
        self.routes = [*self._tracking.routes, *PublicApi(self).routes]
        self.reset()

    def reset(self) -> None:
        """Forget what was sent, the message ids too, and restore the workspace and sources."""
        self._tracking.reset()
        self.workspace: JsonObject = copy.deepcopy(WORKSPACE)
        self.sources: list[JsonObject] = copy.deepcopy(SOURCES)

    def events(self) -> list[JsonObject]:
        """Every message that was sent, oldest first, one for each message of a batch.

        `accepted` says whether Segment would go on with it, `reason` why not, and `duplicate`
        whether a message with that `messageId` came before. `message` is the JSON without the
        write key, and with the `context` and `integrations` of its batch.
        """
        return self._tracking.events()

    def error(self, status: int, path: str, retry_after: float | None) -> Response:
        """Answer like the API that the path belongs to, with what it says of its rate limit."""
        answer = tracking_error if path.startswith("/v1/") else public_error
        return answer(status, 1 if retry_after is None else retry_after)
