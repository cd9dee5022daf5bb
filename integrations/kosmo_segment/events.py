"""Events: identify, track, page, group. They go to the Tracking API with the write key."""

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from kosmo_lua.integration import Event, Field, Object, Params
from kosmo_segment.client import Segment, segment


class _Event(Params):
    """What every event has; spelt `userId` on the wire and in the docs, `user_id` is taken too."""

    model_config = ConfigDict(alias_generator=to_camel)


USER_ID = Field(
    description="The unique identifier for the user in your database.",
    min_length=1,
    examples=["user-42"],
)


class Identify(_Event):
    """What identify_user takes."""

    user_id: str = USER_ID
    traits: Object | None = Field(
        None,
        description="Key-value pairs of user traits (e.g., name, email, plan, role, company).",
        examples=[{"plan": "pro"}],
    )


@segment.write("identify", credential="write_key")
def identify_user(api: Segment, user: Identify) -> Event:
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
    return api.event("identify", user)


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
def track_event(api: Segment, event: Track) -> Event:
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
    return api.event("track", event)


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
def page_view(api: Segment, page: Page) -> Event:
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
    return api.event("page", page)


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
def group(api: Segment, membership: Group) -> Event:
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
    return api.event("group", membership)
