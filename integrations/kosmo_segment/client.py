"""The two APIs of Segment: Tracking (write key) and Public (token), with hosts of their own.

Sources: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ and
https://docs.segmentapis.com.
"""

from base64 import b64encode
from pathlib import Path
from typing import Literal, cast
from uuid import uuid4

from kosmo_lua.errors import InvalidArguments, ServiceError
from kosmo_lua.integration import (
    VERSION,
    Api,
    Credentials,
    Emulation,
    Integration,
    JsonObject,
    Origin,
    Params,
    SecretStr,
    encode,
    setting,
)

TRACKING = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
PUBLIC = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}

EVENT_BYTES = 32 * 1024
"""The most that one event may be, as the JSON that is sent. Beyond it Segment answers 400."""


class SegmentCredentials(Credentials):
    """The two keys of Segment, and where its hosts are."""

    write_key: SecretStr | None = setting(
        "Write key of a source (Connections > Sources > Settings > API Keys). Sends events.",
        env=("SEGMENT_WRITE_KEY",),
        unchecked="Segment takes events with any key: send one, and look for it in the source's debugger.",
    )
    api_token: SecretStr | None = setting(
        "Public API token (Settings > Access Management > Tokens). Reads the workspace.",
        env=("SEGMENT_API_TOKEN",),
    )
    region: Literal["us", "eu"] = setting("Where the workspace lives: us or eu.", default="us")
    tracking_url: Origin | None = setting("Address of the Tracking API, instead of the region's.")
    api_url: Origin | None = setting("Address of the Public API, instead of the region's.")


class Segment(Api[SegmentCredentials]):
    """Both APIs of Segment with the keys of one account."""

    title = "Segment"

    def send(self, kind: str, event: Params) -> JsonObject:
        """Send one event; its message ID is fixed here, so that a retry cannot duplicate it."""
        message = event.wire()
        message["messageId"] = str(uuid4())
        message["context"] = {"library": {"name": "kosmo-lua", "version": VERSION}}
        content = encode(message)
        if len(content) > EVENT_BYTES:
            problem = f"the event is {len(content):,} bytes; Segment takes at most {EVENT_BYTES:,}"
            raise InvalidArguments(
                problem, hint="Send fewer or shorter values, or several events."
            )
        self.request(
            "POST",
            f"{self.credentials.tracking_url or TRACKING[self.credentials.region]}/v1/{kind}",
            headers={"Authorization": self._write_key(), "Content-Type": "application/json"},
            content=content,
        )
        return {"success": True, "message_id": message["messageId"]}

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

    def _write_key(self) -> str:
        key = self.credentials.write_key
        # Basic only: a key in the body would show in the raw event of Segment's debugger.
        pair = f"{key.get_secret_value() if key else ''}:"
        return "Basic " + b64encode(pair.encode()).decode("ascii")


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
