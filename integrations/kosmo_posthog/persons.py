"""Persons: list, get."""

from kosmo_lua.integration import Each, Field, JsonObject, Params
from kosmo_posthog.client import Page, PostHog, posthog
from kosmo_posthog.fields import PersonId
from kosmo_posthog.paging import by_address


class Persons(Page):
    """What list_persons takes."""

    search: str | None = Field(
        None,
        description="Search for a part of the email, or for a whole distinct ID.",
        examples=["jane@example.com"],
    )


@posthog.read(credential="api_token", each=Each("each_person", by_address))
def list_persons(api: PostHog, persons: Persons) -> JsonObject:
    """List persons (users) with optional search.

    The latest come first. PostHog does not count them, and the page after the last full one may be empty.

    Returns: `{results = {{id, uuid, name, distinct_ids, properties, created_at, ...}, ...}, next, previous}`.

    ```lua
    local result = app.integrations.posthog.posthog_list_persons({search = "jane@example.com"})
    for _, person in ipairs(result.results) do
      print(person.name, person.distinct_ids[1])
    end
    ```

    Source: https://posthog.com/docs/api/persons
    """
    return api.get("persons/", persons.wire())


class Person(Params):
    """One person."""

    person_id: PersonId = Field(
        description="The unique identifier (UUID) of the person to retrieve; not a distinct ID.",
        examples=["0196f1c2-0000-7000-8000-000000000101"],
    )


@posthog.read(credential="api_token")
def get_person(api: PostHog, person: Person) -> JsonObject:
    """Get details of a specific person by ID.

    Returns: `{id, uuid, name, distinct_ids, properties, created_at, last_seen_at}`.

    ```lua
    local person = app.integrations.posthog.posthog_get_person({
      person_id = "0196f1c2-0000-7000-8000-000000000101"
    })
    print(person.name, person.properties.email)
    ```

    Source: https://posthog.com/docs/api/persons
    """
    return api.get(f"persons/{person.person_id}/")
