"""Segment: send users and events through the Tracking API, read a workspace through the Public API.

The two APIs have hosts and credentials of their own. Sources:
https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ and
https://docs.segmentapis.com.
"""

from base64 import b64encode
from pathlib import Path
from typing import Literal, cast
from urllib.parse import quote
from uuid import uuid4

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel, to_snake

from kosmo_lua.errors import InvalidArguments, ServiceError
from kosmo_lua.integration import (
    VERSION,
    Api,
    Credentials,
    Emulation,
    Field,
    Integration,
    JsonObject,
    Object,
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
PAGE = 200
PAGES = 50
"""Sources are read to the end, but no further than 10,000: a cursor that never ends is an error."""


class SegmentCredentials(Credentials):
    """The two keys of Segment, and where its hosts are."""

    write_key: SecretStr | None = setting(
        "Write key of a source (Connections > Sources > Settings > API Keys). Sends events.",
        env=("SEGMENT_WRITE_KEY",),
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
        return _object(_object(body).get("data"))

    def workspace(self, slug: str | None = None) -> JsonObject:
        """Return the token's workspace: a token belongs to exactly one.

        Raises:
            InvalidArguments: `slug` is neither its slug nor its ID.
        """
        workspace = _object(self.get("/").get("workspace"))
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


def _object(value: object) -> JsonObject:
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


class _Event(Params):
    """What every event has; spelt `userId` on the wire and in the docs, `user_id` is taken too."""

    model_config = ConfigDict(alias_generator=to_camel)


USER_ID = Field(
    description="The unique identifier for the user in your database.",
    min_length=1,
    examples=["user-42"],
)


# Events: Tracking API, write key.


class Identify(_Event):
    """What identify_user takes."""

    user_id: str = USER_ID
    traits: Object | None = Field(
        None,
        description="Key-value pairs of user traits (e.g., name, email, plan, role, company).",
        examples=[{"plan": "pro"}],
    )


@segment.write("identify", credential="write_key")
def identify_user(api: Segment, user: Identify) -> JsonObject:
    """Identify a user in Segment with their traits.

    Links metadata about a user (name, email, plan, ...) to a known userId, so that all their events
    can be attributed.

    Returns: `{success = true, message_id = "..."}`. Success means that Segment received the event, not that
    it is valid or was delivered: Segment answers 200 even for a write key that does not exist.

    ```lua
    app.integrations.segment.identify_user({
      userId = "user-42",
      traits = {name = "Jane Doe", email = "jane@example.com", plan = "pro"}
    })
    ```

    Source: https://segment.com/docs/connections/spec/identify/
    """
    return api.send("identify", user)


class Track(_Event):
    """What track_event takes."""

    event: str = Field(
        description='The name of the event being tracked (e.g., "Order Completed").',
        min_length=1,
        examples=["Order Completed"],
    )
    user_id: str = USER_ID
    properties: Object | None = Field(
        None,
        description="Key-value pairs of event properties (e.g., revenue, category, productId).",
        examples=[{"revenue": 99.99}],
    )


@segment.write("track", credential="write_key")
def track_event(api: Segment, event: Track) -> JsonObject:
    """Track a custom event for a user in Segment.

    Records an action of a user, with optional properties that describe it.

    Returns: `{success = true, message_id = "..."}`. Success means that Segment received the event, not that
    it is valid or was delivered.

    ```lua
    app.integrations.segment.track_event({
      event = "Order Completed",
      userId = "user-42",
      properties = {revenue = 99.99, currency = "USD", quantity = 2}
    })
    ```

    Source: https://segment.com/docs/connections/spec/track/
    """
    return api.send("track", event)


class Page(_Event):
    """What page_view takes."""

    name: str = Field(
        description='The name of the page viewed (e.g., "Homepage", "Product Listing").',
        min_length=1,
        examples=["Product Listing"],
    )
    user_id: str = USER_ID
    properties: Object | None = Field(
        None,
        description="Key-value pairs of page properties (e.g., url, referrer, title, path).",
        examples=[{"url": "/products/widgets"}],
    )


@segment.write("page", credential="write_key")
def page_view(api: Segment, page: Page) -> JsonObject:
    """Record a page view in Segment.

    Tracks when a user views a page, with optional properties about the page.

    Returns: `{success = true, message_id = "..."}`. Success means that Segment received the event, not that
    it is valid or was delivered.

    ```lua
    app.integrations.segment.page_view({
      name = "Product Listing",
      userId = "user-42",
      properties = {url = "/products/widgets", referrer = "https://google.com"}
    })
    ```

    Source: https://segment.com/docs/connections/spec/page/
    """
    return api.send("page", page)


class Group(_Event):
    """What group takes."""

    group_id: str = Field(
        description="The unique identifier for the group (e.g., company ID, organization ID).",
        min_length=1,
        examples=["org-123"],
    )
    user_id: str = USER_ID
    traits: Object | None = Field(
        None,
        description="Key-value pairs of group traits (e.g., name, plan, industry, employee_count).",
        examples=[{"name": "Acme Corp"}],
    )


@segment.write(credential="write_key")
def group(api: Segment, membership: Group) -> JsonObject:
    """Associate a user with a group (organization, company, account) in Segment.

    Returns: `{success = true, message_id = "..."}`. Success means that Segment received the event, not that
    it is valid or was delivered.

    ```lua
    app.integrations.segment.group({
      groupId = "org-123",
      userId = "user-42",
      traits = {name = "Acme Corp", plan = "enterprise", employee_count = 250}
    })
    ```

    Source: https://segment.com/docs/connections/spec/group/
    """
    return api.send("group", membership)


# The workspace: Public API, token.


class Workspace(Params):
    """The workspace that a read is about."""

    slug: str = Field(
        description='The workspace slug (e.g., "my-workspace"); it must be the one of the token.',
        min_length=1,
        examples=["my-workspace"],
    )


class Source(Workspace):
    """One source of the workspace."""

    id: str = Field(
        description='The source ID (e.g., "abc123"), not its slug.',
        min_length=1,
        max_length=255,
        examples=["abc123"],
    )


@segment.read(credential="api_token")
def get_workspace(api: Segment, workspace: Workspace) -> JsonObject:
    """Get details of a Segment workspace by its slug.

    A Public API token belongs to exactly one workspace; the slug of another one is an error.

    Returns: `{id, name, slug}`.

    ```lua
    local ws = app.integrations.segment.get_workspace({slug = "my-workspace"})
    print(ws.name, ws.id)
    ```

    Source: https://docs.segmentapis.com/tag/Workspaces
    """
    return api.workspace(workspace.slug)


@segment.read(credential="api_token")
def list_sources(api: Segment, workspace: Workspace) -> JsonObject:
    """List all sources in a Segment workspace.

    All pages are read, up to 10,000 sources.

    Returns: `{sources = {{id, slug, name, enabled, workspace_id, write_keys, write_key, metadata, settings,
    labels}, ...}}`. `write_key` is the first of `write_keys`; both are empty when the token lacks the
    Source Admin permission. A source without a name has its slug as its name.

    ```lua
    local result = app.integrations.segment.list_sources({slug = "my-workspace"})
    for _, source in ipairs(result.sources) do
      print(source.name .. " (" .. source.id .. ")")
    end
    ```

    Source: https://docs.segmentapis.com/tag/Sources
    """
    api.workspace(workspace.slug)
    sources: list[JsonObject] = []
    cursor: dict[str, str] = {}
    for _ in range(PAGES):
        page = api.get("/sources", **{"pagination.count": str(PAGE), **cursor})
        found = page.get("sources")
        sources += [_source(_object(item)) for item in (found if isinstance(found, list) else [])]
        after = _object(page.get("pagination") or {}).get("next")
        if not after:
            return {"sources": [*sources]}
        cursor = {"pagination.cursor": str(after)}
    message = f"Segment has more than {PAGES * PAGE:,} sources, or its paging does not end"
    raise ServiceError(message)


@segment.read(credential="api_token")
def get_source(api: Segment, source: Source) -> JsonObject:
    """Get details of a specific Segment source by ID.

    Returns: `{id, slug, name, enabled, workspace_id, write_keys, write_key, tracking_plan_id, ...}`.
    `write_key` is nil when the token lacks the Source Admin permission.

    ```lua
    local source = app.integrations.segment.get_source({slug = "my-workspace", id = "abc123"})
    print(source.name)
    print(source.write_key)
    ```

    Source: https://docs.segmentapis.com/tag/Sources
    """
    api.workspace(source.slug)
    # A dot is quoted too: httpx would take ".." for the folder above.
    path = quote(source.id, safe="").replace(".", "%2E")
    data = api.get(f"/sources/{path}")
    plan = {"tracking_plan_id": data.get("trackingPlanId")}
    return _source(_object(data.get("source"))) | plan


@segment.read(credential="api_token")
def get_current_user(api: Segment) -> JsonObject:
    """Get who the API token is: the workspace that it belongs to.

    Segment has no current user: a Public API token belongs to a workspace and not to a person. Use this
    to check that the token works.

    Returns: `{type = "workspace_token", authenticated = true, id, name, slug, workspace, email}`. `email`
    is `workspace:<slug>`, which is visibly no address; it is there so that scripts can print it.

    ```lua
    local user = app.integrations.segment.get_current_user({})
    print("Authenticated as: " .. user.email)
    ```

    Source: https://docs.segmentapis.com/tag/Workspaces
    """
    workspace = api.workspace()
    return {
        "type": "workspace_token",
        "authenticated": True,
        "id": workspace.get("id"),
        "name": workspace.get("name"),
        "slug": workspace.get("slug"),
        "workspace": workspace,
        "email": f"workspace:{workspace.get('slug')}",
    }


def _source(source: JsonObject) -> JsonObject:
    """Spell a source's own fields as Lua does, and offer what scripts look for."""
    result = {to_snake(key): value for key, value in source.items()}
    keys = result.get("write_keys")
    result["write_key"] = keys[0] if isinstance(keys, list) and keys else None
    result["name"] = result.get("name") or result.get("slug")
    return result
