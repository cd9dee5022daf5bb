"""TrackingApi: Segment's Tracking API, which takes messages with a write key and records them."""

import base64
import threading
from datetime import UTC, datetime

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kosmo_lua.integration import Json, JsonObject
from kosmo_segment.emulator.body import read_object
from kosmo_segment.emulator.errors import Refused, bad_request
from kosmo_segment.emulator.messages import (
    BATCH_LIMIT,
    MESSAGE_LIMIT,
    REQUIRED,
    Message,
    messages,
)


class TrackingApi:
    """Answers 200 to all that can be read, and keeps it; any thread may read the events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[JsonObject] = []
        self._message_ids: set[str] = set()
        self.routes = [
            Route(f"/v1/{kind}", self._receive, methods=["POST"]) for kind in (*REQUIRED, "batch")
        ]

    def reset(self) -> None:
        """Forget what was sent, the message ids too."""
        with self._lock:
            self._events.clear()
            self._message_ids.clear()

    def events(self) -> list[JsonObject]:
        """Every message that was sent, oldest first, one for each message of a batch."""
        with self._lock:
            return list(self._events)

    async def _receive(self, request: Request) -> Response:
        path = request.scope["path"]
        kind = path.removeprefix("/v1/")
        limit = BATCH_LIMIT if kind == "batch" else MESSAGE_LIMIT
        try:
            envelope = read_object(request.headers, await request.body(), limit)
            write_key = _write_key(request.headers, envelope)
            received = messages(kind, envelope)
        except Refused as refused:
            return refused.response
        received_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        facts: JsonObject = {"path": path, "write_key": write_key, "received_at": received_at}
        with self._lock:
            self._events += [self._event(message, facts) for message in received]
        return JSONResponse({"success": True})

    def _event(self, message: Message, facts: JsonObject) -> JsonObject:
        return {
            "integration": "segment",
            "type": message.kind,
            **facts,
            "accepted": message.flaw is None,
            "reason": message.flaw,
            "duplicate": message.flaw is None and self._is_known(message.content),
            "message": message.content,
        }

    def _is_known(self, message: Json) -> bool:
        """Whether an accepted message with its id came before; from now on one did."""
        message_id = message.get("messageId") if isinstance(message, dict) else None
        if not isinstance(message_id, str):
            return False
        is_known = message_id in self._message_ids
        self._message_ids.add(message_id)
        return is_known


def _write_key(headers: Headers, envelope: JsonObject) -> str:
    """The key of the Basic header (user name, then a colon) or, without one, of the body."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    key = envelope.get("writeKey")
    if scheme.lower() == "basic":
        try:
            user, colon, _ = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            user = colon = ""
        key = (user if colon else "") or key
    if not isinstance(key, str) or not key:
        raise bad_request("invalid_write_key", "The write key is missing or empty.")
    return key
