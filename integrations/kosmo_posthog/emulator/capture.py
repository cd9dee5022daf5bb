"""PostHog's capture API: what it takes, and what it refuses in plain text.

It checks the form of a key and of each event, and no more: whether a project has the key shows later.

Sources: https://posthog.com/docs/api/capture
         https://github.com/PostHog/posthog/tree/master/rust/capture/src
"""

from __future__ import annotations

import json
import math
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from kosmo_posthog.emulator.answers import not_captured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from kosmo_lua.integration import Json, JsonObject

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes of a request, without its compression."""

BATCH_LIMIT = 20 * 1024 * 1024
"""Bytes of a request to `/batch/`."""

EVENT_LIMIT = 1_000_000
"""Bytes of one event."""

ID_LIMIT = 200
"""Characters of a distinct_id; a longer one is cut."""

_KEY_LIMIT = 64
_DEPTH = 128
_GZIP = b"\x1f\x8b"

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` with options makes one for each event of a batch."""


class Captured(NamedTuple):
    """One event of a request, as it was sent and as PostHog reads it."""

    api_key: str
    message: JsonObject
    name: str
    distinct_id: str
    properties: JsonObject
    uuid: str | None
    timestamp: datetime | None


def captured(request: Request, body: bytes) -> list[Captured]:
    """Return the events of a request.

    Raises:
        Refused: one of them cannot be taken, and so none is.
    """
    content = _parsed(_decoded(request, body))
    shared = content.get("api_key", content.get("token")) if isinstance(content, dict) else None
    events = content.get("batch", [content]) if isinstance(content, dict) else content
    if not isinstance(events, list):
        raise not_captured(400, "failed to parse request: data did not match any variant")
    if not events:
        raise not_captured(400, "request holds no event")
    messages = [_message(event) for event in events]
    api_key = _api_key({_token(message, shared) for message in messages})
    return [_event(message, api_key) for message in messages]


def _decoded(request: Request, body: bytes) -> bytes:
    """The body without its compression, if it is not too long."""
    limit = BATCH_LIMIT if request.url.path.startswith("/batch") else BODY_LIMIT
    if body.startswith(_GZIP):
        stream = zlib.decompressobj(wbits=31)
        try:
            body = stream.decompress(body, limit + 1)
        except zlib.error:
            raise not_captured(400, "failed to decode request: invalid GZIP data") from None
        if len(body) <= limit and not stream.eof:
            raise not_captured(400, "failed to decode request: invalid GZIP data")
    elif "gzip" in (
        request.headers.get("content-encoding"),
        request.query_params.get("compression"),
    ):
        raise not_captured(400, "failed to decode request: invalid GZIP data")
    if len(body) > limit:
        raise not_captured(413, f"maximum event size exceeded: payload exceeds {limit} bytes")
    if not body:
        raise not_captured(400, "request missing data payload")
    return body


def _parsed(body: bytes) -> JsonObject | list[Json]:
    try:
        value = json.loads(body.decode(), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise not_captured(400, "failed to parse request: invalid JSON") from None
    if not isinstance(value, dict | list):
        raise not_captured(400, "failed to parse request: data did not match any variant")
    if _is_deeper(value, _DEPTH):
        raise not_captured(400, "failed to parse request: recursion limit exceeded")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _is_deeper(value: Json, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        if not level:
            return False
        level = [child for item in level for child in _children(item)]
    return bool(level)


def _children(value: Json) -> Iterator[Json]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    yield from (item for item in items if isinstance(item, dict | list))


def _message(event: Json) -> JsonObject:
    if not isinstance(event, dict):
        raise not_captured(400, "failed to parse request: an event must be an object")
    if not isinstance(event.get("event"), str):
        raise not_captured(400, "failed to parse request: missing field `event`")
    if not isinstance(event.get("properties") or {}, dict):
        raise not_captured(400, "failed to parse request: invalid type, expected a map")
    size = len(_ENCODER.encode(event).encode(errors="replace"))
    if size > EVENT_LIMIT:
        raise not_captured(413, f"maximum event size exceeded: {size} bytes")
    return event


def _properties(message: JsonObject) -> JsonObject:
    properties = message.get("properties")
    return properties if isinstance(properties, dict) else {}


def _token(message: JsonObject, shared: Json) -> str | None:
    """The key of an event: its own, that of its batch, or that among its properties."""
    own = message.get("api_key") or message.get("token")
    token = own or shared or _properties(message).get("token")
    return token if isinstance(token, str) else None


def _api_key(tokens: set[str | None]) -> str:
    if None in tokens:
        raise not_captured(401, "event submitted without an api_key")
    if len(tokens) > 1:
        raise not_captured(401, "batch submitted with inconsistent api_key values")
    key = str(*tokens).strip()
    for is_flawed, reason in (
        (not key, "empty"),
        (len(key) > _KEY_LIMIT, "too_long"),
        (not key.isascii(), "not_ascii"),
        (key.startswith("phx_"), "personal_api_key"),
        ("\0" in key, "null_byte"),
    ):
        if is_flawed:
            raise not_captured(401, f"API key is not valid: {reason}")
    return key


def _event(message: JsonObject, api_key: str) -> Captured:
    name = str(message["event"])
    if not name:
        raise not_captured(400, "event submitted with an empty event name")
    return Captured(
        api_key=api_key,
        message={k: v for k, v in message.items() if k not in ("api_key", "token")},
        name=name,
        distinct_id=_distinct_id(message),
        properties=_properties(message),
        uuid=_uuid(message.get("uuid")),
        timestamp=_timestamp(message.get("timestamp")),
    )


def _distinct_id(message: JsonObject) -> str:
    """The distinct_id as a text of at most 200 characters; it may stand among the properties."""
    value = message.get("distinct_id")
    value = _properties(message).get("distinct_id") if value is None else value
    text = value if isinstance(value, str) else json.dumps(value)
    if value is None or not text:
        raise not_captured(400, "event submitted without a distinct_id")
    return text[:ID_LIMIT]


def _uuid(value: Json) -> str | None:
    try:
        return None if value is None else str(UUID(str(value)))
    except ValueError:
        raise not_captured(400, "failed to parse request: invalid UUID") from None


def _timestamp(value: Json) -> datetime | None:
    try:
        moment = None if value is None else datetime.fromisoformat(str(value))
    except ValueError:
        raise not_captured(400, "event submitted with invalid timestamp") from None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
