"""Message: what one message to the Tracking API is, and why Segment would drop it behind its 200."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from kosmo_lua.integration import Json, JsonObject
from kosmo_segment.emulator.errors import bad_request

MESSAGE_LIMIT = 32 * 1024
"""Bytes of a message, on its own or in a batch."""

BATCH_LIMIT = 500 * 1024
"""Bytes of a batch request."""

BATCH_MESSAGES = 2500
"""Messages of a batch; all of a bigger one are dropped, behind a 200."""

REQUIRED = {
    "identify": (),
    "track": ("event",),
    "page": (),
    "screen": (),
    "group": ("groupId",),
    "alias": ("userId", "previousId"),
}
"""The types of messages, and the fields that a message of each type must have."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` with options makes one for each message of a batch."""


class Message(NamedTuple):
    """One message of a request."""

    kind: str
    """Its type, or `batch` when it has none."""
    content: Json
    """Its JSON, without the write key."""
    flaw: str | None
    """Why Segment would drop it, if it would."""


def messages(kind: str, envelope: JsonObject) -> list[Message]:
    """The messages of a request: the one that its body is, or those of its batch.

    Raises:
        Refused: a message of the batch is too long.
    """
    if kind != "batch":
        return [_judged(kind, _without_key(envelope))]
    batch = envelope.get("batch")
    if not isinstance(batch, list) or not batch:
        return [Message(kind, _without_key(envelope), "batch must be an array of messages")]
    unpacked = [_unpacked(message, envelope) for message in batch]
    if len(batch) <= BATCH_MESSAGES:
        return [_judged(*message) for message in unpacked]
    flaw = f"a batch must not have more than {BATCH_MESSAGES:,} messages"
    return [Message(*message, flaw) for message in unpacked]


def _unpacked(message: Json, envelope: JsonObject) -> tuple[str, Json]:
    """A message of a batch with its type, and with the fields that the batch shares."""
    if len(_ENCODER.encode(message).encode(errors="replace")) > MESSAGE_LIMIT:
        limit = f"A message of a batch must not exceed {MESSAGE_LIMIT} bytes."
        raise bad_request("payload_too_large", limit)
    if not isinstance(message, dict):
        return "batch", message
    merged = _without_key(message)
    for name in ("context", "integrations"):
        shared, own = envelope.get(name), merged.get(name, {})
        if isinstance(shared, dict) and isinstance(own, dict):
            merged[name] = shared | own
    kind = message.get("type")
    return kind if isinstance(kind, str) else "batch", merged


def _without_key(message: JsonObject) -> JsonObject:
    return {name: value for name, value in message.items() if name != "writeKey"}


def _judged(kind: str, content: Json) -> Message:
    return Message(kind, content, next(_flaws(kind, content), None))


def _flaws(kind: str, message: Json) -> Iterator[str]:
    if not isinstance(message, dict):
        yield "a message must be an object"
        return
    if kind not in REQUIRED:
        yield f"type must be one of {', '.join(REQUIRED)}"
    if not _is_text(message.get("userId")) and not _is_text(message.get("anonymousId")):
        yield "userId or anonymousId must be a non-empty string"
    for name in REQUIRED.get(kind, ()):
        if not _is_text(message.get(name)):
            yield f"{name} must be a non-empty string"
    for name, fits, form in _OPTIONAL:
        if name in message and not fits(message[name]):
            yield f"{name} must be {form}"


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and value != ""


def _is_object(value: Json) -> bool:
    return isinstance(value, dict | None)


def _is_message_id(value: Json) -> bool:
    return value is None or (isinstance(value, str) and 0 < len(value) <= 100)  # noqa: PLR2004  # the documented length


def _is_time(value: Json) -> bool:
    try:
        return value is None or datetime.fromisoformat(str(value)).tzinfo is not None
    except ValueError:
        return False


_OPTIONAL = (
    ("traits", _is_object, "an object"),
    ("properties", _is_object, "an object"),
    ("context", _is_object, "an object"),
    ("integrations", _is_object, "an object"),
    ("timestamp", _is_time, "an ISO 8601 time with a zone"),
    ("sentAt", _is_time, "an ISO 8601 time with a zone"),
    ("messageId", _is_message_id, "a string of 1 to 100 characters"),
)
"""The fields that any message may have, and what they must be; null counts as absent."""
