"""The two APIs of Segment: Tracking (write key) and Public (token), with hosts of their own.

Sources: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ and
https://docs.segmentapis.com.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from kosmo_lua.errors import InvalidArguments, ServiceError
from kosmo_lua.integration import (
    TRANSIENT,
    VERSION,
    Api,
    BatchLimits,
    Credentials,
    Emulation,
    Event,
    Integration,
    Json,
    JsonObject,
    Origin,
    Params,
    Rate,
    SecretStr,
    encode,
    now,
    setting,
)

TRACKING = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
PUBLIC = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}

BATCHES = BatchLimits(size=500_000, events=2_500, event_size=32 * 1024)
"""What one request may hold; beyond it Segment answers 400, or 200 and drops the events.

Source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
"""

PASSING = TRANSIENT | {410, 460} | ({*range(500, 600)} - {501, 505})
"""After these statuses Segment's own libraries send an event again.

Source: https://github.com/segmentio/analytics-python/blob/master/segment/analytics/consumer.py
"""

_LIBRARY: JsonObject = {"library": {"name": "kosmo-lua", "version": VERSION}}


_TRACKING, _PUBLIC = Rate("tracking"), Rate("public")


class SegmentCredentials(Credentials):
    """The two keys of Segment, and where its hosts are."""

    write_key: SecretStr | None = setting(
        "Write key of a source (Connections > Sources > Settings > API Keys). Sends events.",
        env=("SEGMENT_WRITE_KEY",),
        issued=True,
        unchecked="Segment takes events with any key: send one, and look for it in the source's debugger.",
    )
    api_token: SecretStr | None = setting(
        "Public API token (Settings > Access Management > Tokens). Reads the workspace.",
        env=("SEGMENT_API_TOKEN",),
        issued=True,
    )
    region: Literal["us", "eu"] = setting("Where the workspace lives: us or eu.", default="us")
    tracking_url: Origin | None = setting("Address of the Tracking API, instead of the region's.")
    api_url: Origin | None = setting("Address of the Public API, instead of the region's.")


class Segment(Api[SegmentCredentials]):
    """Both APIs of Segment with the keys of one account."""

    title = "Segment"
    batches = BATCHES

    def event(self, kind: str, event: Params) -> Event:
        """Make an event; with its message ID Segment drops it when it comes twice."""
        fields, message_id = event.wire_json()[1:-1].decode(), self.new_id()
        ending = f'"timestamp":"{self.now()}","messageId":"{message_id}"'
        return Event(
            f'{{"type":"{kind}",{fields},{ending}}}'.encode(),
            id={"message_id": message_id},
            answer={"success": True, "message_id": message_id},
        )

    def deliver(self, event: Event) -> None:
        """Send one event alone."""
        content = event.content[:-1] + b"," + _shared()
        BATCHES.check(content, self.title)
        kind = event.content.split(b'"', 4)[3].decode()
        self._track(f"/v1/{kind}", content)

    def deliver_batch(self, events: Sequence[bytes]) -> None:
        """Send events in one request."""
        content = b"".join([b'{"batch":[', b",".join(events), b"],", _shared()])
        self._track("/v1/batch", content)

    def _track(self, path: str, content: bytes) -> None:
        self.request(
            "POST",
            (self.credentials.tracking_url or TRACKING[self.credentials.region]) + path,
            headers={"Authorization": self._write_key(), "Content-Type": "application/json"},
            content=content,
            repeat_on=PASSING,
            rate=_TRACKING,
        )

    def get(self, path: str, **query: str) -> JsonObject:
        """Return the `data` of an answer of the Public API."""
        token = self.credentials.api_token
        body = self.request(
            "GET",
            f"{self.credentials.api_url or PUBLIC[self.credentials.region]}{path}",
            headers={
                "Authorization": f"Bearer {token.get_secret_value() if token else ''}",
                "Accept": "application/vnd.segment.v1+json, application/json",
            },
            query=query or None,
            rate=_PUBLIC,
        )
        return as_object(as_object(body).get("data"))

    def workspace(self, slug: str | None = None) -> JsonObject:
        """Return the token's workspace: a token belongs to exactly one.

        Raises:
            InvalidArguments: `slug` is neither its slug nor its ID.
        """
        workspace = as_object(self.get("/").get("workspace"))
        own = (workspace.get("slug"), workspace.get("id"))
        if slug is not None and slug.removeprefix("workspaces/") not in own:
            problem = f'slug is "{slug}", but this token belongs to the workspace "{own[0]}"'
            raise InvalidArguments(
                problem,
                hint=f'Pass slug = "{own[0]}", or use an account whose token is for "{slug}".',
            )
        return workspace

    def explain(self, body: JsonObject) -> str | None:
        """Read `{"errors": [{"message"}]}` (Public API) or `{"code", "message"}` (Tracking API)."""
        errors = body.get("errors")
        entries = errors if isinstance(errors, list) else [body]
        words = [
            str(e.get("message") or e.get("type") or "") for e in entries if isinstance(e, dict)
        ]
        return "; ".join(word for word in words if word) or None

    def asked_wait(self, body: JsonObject) -> float | None:
        """Read `errors[0].data.msBeforeNext` of the Public API."""
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        data = first.get("data") if isinstance(first, dict) else None
        wait: Json = data.get("msBeforeNext") if isinstance(data, dict) else None
        return max(wait / 1000, 0.0) if isinstance(wait, int | float) else None

    def _write_key(self) -> str:
        key = self.credentials.write_key
        # Basic only: a key in the body would show in the raw event of Segment's debugger.
        pair = f"{key.get_secret_value() if key else ''}:"
        return "Basic " + b64encode(pair.encode()).decode("ascii")


def _shared() -> bytes:
    """Return the end of each body. With the time of sending Segment corrects a clock that is wrong."""
    return encode({"context": _LIBRARY, "sentAt": now()})[1:]


def as_object(value: object) -> JsonObject:
    """Return a part of an answer as the JSON object that it must be."""
    if isinstance(value, dict):
        return cast("JsonObject", value)
    message = "Segment answered with JSON that is not what it documents"
    raise ServiceError(message)


segment = Integration(
    "segment",
    title="Segment",
    summary="Send users, events, page views and groups; read the workspace and its sources.",
    credentials=SegmentCredentials,
    api=Segment,
    guide=Path(__file__).with_name("guide.md").read_text(encoding="utf-8"),
    emulation=Emulation(
        service="kosmo_segment.emulator:SegmentEmulator",
        settings={"write_key": "emulator-write-key", "api_token": "emulator-api-token"},
        urls=("tracking_url", "api_url"),
    ),
)
