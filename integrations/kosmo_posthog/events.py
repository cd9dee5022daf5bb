"""Events: capture, list, get."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from kosmo_lua.integration import (
    VERSION,
    Each,
    Event,
    Field,
    Json,
    JsonObject,
    Object,
    Params,
    encode,
)
from kosmo_posthog.client import Page, PostHog, as_object, posthog, results
from kosmo_posthog.fields import Bound, Moment, PersonId, Uuid
from kosmo_posthog.paging import MOST_EVENTS, by_time

LIBRARY: JsonObject = {"$lib": "kosmo-lua", "$lib_version": VERSION, "$geoip_disable": True}
"""Properties of every event; the address that a workflow sends from says nothing about its users."""

LONGEST_ID = 200
"""The most characters of a distinct_id; PostHog silently cuts a longer one."""


class Capture(Params):
    """What capture_event takes."""

    event: str = Field(
        description='The name of the event to capture (e.g., `"signup"`, `"purchase"`).',
        min_length=1,
        examples=["purchase"],
    )
    distinct_id: str = Field(
        description="A unique identifier for the user (e.g., user ID, email, or anonymous ID).",
        min_length=1,
        examples=["user-123"],
    )
    properties: Object | None = Field(
        None,
        description="Key-value properties to attach to the event.",
        examples=[{"product": "Pro Plan"}],
    )
    timestamp: Moment | None = Field(
        None,
        description="ISO 8601 time of the event; without a zone it is UTC. Default: now.",
        examples=["2026-04-01T10:00:00Z"],
    )


@posthog.write(credential="project_api_key")
def capture_event(api: PostHog, event: Capture) -> Event:
    """Send (capture) a custom event to PostHog.

    The event appears in the PostHog events stream and can be used in insights and funnels. Its UUID and
    timestamp are fixed before it is sent, so PostHog can merge an event that arrives twice.

    Returns: `{status = "Ok", uuid, event, distinct_id, timestamp}`. Ok means that PostHog received the event:
    it answers the same for a project key that does not exist, or that belongs to the other region.

    ```lua
    local result = app.integrations.posthog.posthog_capture_event({
      event = "purchase",
      distinct_id = "user-123",
      properties = {product = "Pro Plan", amount = 49.99}
    })
    print(result.status)
    ```

    Source: https://posthog.com/docs/api/capture
    """
    uuid = api.new_id()
    shown: JsonObject = {
        "uuid": uuid,
        "event": event.event,
        "distinct_id": event.distinct_id,
        "timestamp": event.timestamp or api.now(),
    }
    if len(event.distinct_id) > LONGEST_ID:
        api.warnings.append(f"PostHog cuts a distinct_id to its first {LONGEST_ID} characters.")
    content = encode({**shown, "properties": {**LIBRARY, **(event.properties or {})}})
    return Event(content, id={"uuid": uuid}, answer={"status": "Ok", **shown})


class Events(Page):
    """What list_events takes."""

    offset: int | None = Field(
        None,
        description="Number of rows to skip (default: 0). Slow; `before` is the better way to page.",
        ge=0,
        le=50_000,
    )
    event: str | None = Field(
        None,
        description='Filter by event name (e.g., `"$pageview"`, `"signup"`).',
        examples=["$pageview"],
    )
    distinct_id: str | None = Field(None, description="Filter by distinct user ID.")
    person_id: PersonId | None = Field(None, description="Filter by internal person UUID.")
    after: Bound | None = Field(
        None,
        description="Only events after this time (ISO 8601, or relative: `-7d`). Default: 24 hours ago.",
        examples=["2026-04-01T00:00:00Z"],
    )
    before: Bound | None = Field(
        None, description="Only events before this time (ISO 8601, or relative: `-7d`)."
    )


@posthog.read(credential="api_token", each=Each("each_event", by_time))
def list_events(api: PostHog, events: Events) -> JsonObject:
    """List events with optional filtering and pagination.

    The latest come first. Without `after` PostHog looks back 24 hours only, and a list has at most 1,000
    events: both give a warning. For the next page pass the timestamp of the last event as `before`. Times
    without a zone are UTC.

    Returns: `{results = {{id, event, distinct_id, properties, timestamp, ...}, ...}, next}`. `next` is the
    address of the next page, nil on the last. `properties.pathname` is `properties["$pathname"]` where
    the event has no `pathname` of its own.

    ```lua
    local result = app.integrations.posthog.posthog_list_events({
      event = "$pageview",
      limit = 20,
      after = "2026-04-01T00:00:00Z"
    })
    for _, event in ipairs(result.results) do
      print(event.distinct_id .. " - " .. event.properties.pathname)
    end
    ```

    Source: https://posthog.com/docs/api/events
    """
    if events.after is None:
        api.warnings.append(
            "PostHog lists the events of the last 24 hours only, unless `after` says more."
        )
    if events.limit > MOST_EVENTS:
        api.warnings.append(f"PostHog lists at most {MOST_EVENTS:,} events; page with `before`.")
    query = events.wire() | {"limit": min(events.limit, MOST_EVENTS)}
    page = api.get("events/", query)
    shown: list[Json] = [_with_pathname(event) for event in results(page)]
    return page | {"results": shown, "next": _without_offset(page.get("next"))}


class EventId(Params):
    """One event."""

    event_id: Uuid = Field(
        description="The unique identifier (UUID) of the event to retrieve.",
        examples=["0196f1c2-0000-7000-8000-000000000001"],
    )


@posthog.read(credential="api_token")
def get_event(api: PostHog, event: EventId) -> JsonObject:
    """Get details of a specific event by ID.

    Returns: `{id, event, distinct_id, properties, timestamp, person, elements, elements_chain}`.

    ```lua
    local event = app.integrations.posthog.posthog_get_event({
      event_id = "0196f1c2-0000-7000-8000-000000000001"
    })
    print(event.event, event.timestamp)
    ```

    Source: https://posthog.com/docs/api/events
    """
    return _with_pathname(api.get(f"events/{event.event_id}/"))


def _with_pathname(event: JsonObject) -> JsonObject:
    """Offer `pathname`, as scripts and PostHog's own pages call it, where there is only `$pathname`."""
    properties = event.get("properties")
    if not isinstance(properties, dict) or "$pathname" not in properties:
        return event
    return event | {"properties": {"pathname": properties["$pathname"], **as_object(properties)}}


def _without_offset(url: Json) -> Json:
    """PostHog adds `before` to the address and keeps `offset`, which would skip rows again."""
    if not isinstance(url, str):
        return url
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "offset"]
    return parts._replace(query=urlencode(query)).geturl()
