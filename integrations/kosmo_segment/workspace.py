"""The workspace and its sources. They are read from the Public API with the token."""

from collections.abc import Iterator
from urllib.parse import quote

from pydantic.alias_generators import to_snake

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import Each, Field, JsonObject, Params, Rows
from kosmo_segment.client import Segment, as_object, segment

PAGE = 200
PAGES = 50
"""Sources are read to the end, but no further than 10,000: a cursor that never ends is an error."""


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


def _pages(_: object, api: Segment, workspace: Workspace) -> Iterator[Rows]:
    """Read the sources page by page, as far as their cursor leads."""
    api.workspace(workspace.slug)
    cursor: dict[str, str] = {}
    for _page in range(PAGES):
        page = api.get("/sources", **{"pagination.count": str(PAGE), **cursor})
        found = page.get("sources")
        after = as_object(page.get("pagination") or {}).get("next")
        rows = [_source(as_object(item)) for item in (found if isinstance(found, list) else [])]
        yield Rows([*rows], more=bool(after))
        if not after:
            return
        cursor = {"pagination.cursor": str(after)}
    message = f"Segment has more than {PAGES * PAGE:,} sources, or its paging does not end"
    raise ServiceError(message)


@segment.read(credential="api_token", each=Each("each_source", _pages, '{slug = "my-workspace"}'))
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
    return {"sources": [row for page in _pages(None, api, workspace) for row in page.rows]}


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
    return _source(as_object(data.get("source"))) | plan


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


@segment.check("api_token")
def check_api_token(api: Segment) -> str:
    """Ask the Public API whose token it is.

    Source: https://docs.segmentapis.com/tag/Workspaces
    """
    return f"reads the workspace {api.workspace().get('slug')}."


def _source(source: JsonObject) -> JsonObject:
    """Spell a source's own fields as Lua does, and offer what scripts look for."""
    result = {to_snake(key): value for key, value in source.items()}
    keys = result.get("write_keys")
    result["write_key"] = keys[0] if isinstance(keys, list) and keys else None
    result["name"] = result.get("name") or result.get("slug")
    return result
