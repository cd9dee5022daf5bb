"""Insights, dashboards and cohorts: what a project has saved."""

from typing import Literal

from kosmo_lua.integration import Each, Field, Json, JsonObject, Params
from kosmo_posthog.client import Page, PostHog, posthog, results
from kosmo_posthog.paging import by_address


class Insights(Page):
    """What list_insights takes."""

    type: Literal["TRENDS", "FUNNELS", "RETENTION", "PATHS", "LIFECYCLE", "STICKINESS"] | None = (
        Field(
            None,
            description="Filter by type: TRENDS, FUNNELS, RETENTION, PATHS, LIFECYCLE or STICKINESS.",
            examples=["TRENDS"],
        )
    )


@posthog.read(credential="api_token", each=Each("each_insight", by_address))
def list_insights(api: PostHog, insights: Insights) -> JsonObject:
    """List saved insights in the project.

    The list has what describes an insight; its results are in `posthog_get_insight`.

    Returns: `{results = {{id, short_id, name, description, query, dashboards, ...}, ...}, count, next,
    previous}`. An insight that nobody named has its derived name as `name`.

    ```lua
    local result = app.integrations.posthog.posthog_list_insights({type = "TRENDS"})
    for _, insight in ipairs(result.results) do
      print(insight.id, insight.name)
    end
    ```

    Source: https://posthog.com/docs/api/insights
    """
    query = insights.wire() | {"basic": True, "saved": True}
    if kind := query.pop("type", None):
        query["insight"] = kind  # PostHog ignores `type`, and so would list them all
    page = api.get("insights/", query)
    shown: list[Json] = [_with_name(insight) for insight in results(page)]
    return page | {"results": shown}


class Insight(Params):
    """One insight."""

    insight_id: int = Field(
        description="The unique identifier of the insight to retrieve: its number, not its short ID.",
        ge=1,
        examples=[1],
    )


@posthog.read(credential="api_token")
def get_insight(api: PostHog, insight: Insight) -> JsonObject:
    """Get details of a specific insight by ID.

    Its results are those that PostHog has cached, nil where it has none.

    Returns: `{id, short_id, name, query, result, last_refresh, ...}`.

    ```lua
    local insight = app.integrations.posthog.posthog_get_insight({insight_id = 1})
    print(insight.name, insight.last_refresh)
    ```

    Source: https://posthog.com/docs/api/insights
    """
    return _with_name(api.get(f"insights/{insight.insight_id}/"))


class Dashboards(Page):
    """What list_dashboards takes."""


@posthog.read(credential="api_token", each=Each("each_dashboard", by_address))
def list_dashboards(api: PostHog, dashboards: Dashboards) -> JsonObject:
    """List dashboards in the project.

    Returns: `{results = {{id, name, description, pinned, tags, ...}, ...}, count, next, previous}`. A
    dashboard that has no name has an empty one.

    ```lua
    local result = app.integrations.posthog.posthog_list_dashboards({limit = 10})
    for _, dashboard in ipairs(result.results) do
      print(dashboard.name .. " (ID: " .. dashboard.id .. ")")
    end
    ```

    Source: https://posthog.com/docs/api/dashboards
    """
    page = api.get("dashboards/", dashboards.wire())
    shown: list[Json] = [_with_name(dashboard) for dashboard in results(page)]
    return page | {"results": shown}


class Dashboard(Params):
    """One dashboard."""

    dashboard_id: int = Field(
        description="The unique identifier of the dashboard to retrieve.", ge=1, examples=[1]
    )


@posthog.read(credential="api_token")
def get_dashboard(api: PostHog, dashboard: Dashboard) -> JsonObject:
    """Get details of a specific dashboard by ID.

    Returns: `{id, name, description, tiles, filters, ...}`; each of `tiles` has its insight.

    ```lua
    local dashboard = app.integrations.posthog.posthog_get_dashboard({dashboard_id = 1})
    print(dashboard.name, #dashboard.tiles)
    ```

    Source: https://posthog.com/docs/api/dashboards
    """
    return _with_name(api.get(f"dashboards/{dashboard.dashboard_id}/"))


class Cohorts(Page):
    """What list_cohorts takes."""


@posthog.read(credential="api_token", each=Each("each_cohort", by_address))
def list_cohorts(api: PostHog, cohorts: Cohorts) -> JsonObject:
    """List cohorts in the project.

    A cohort is a group of users defined by what they did or are, or a fixed list.

    Returns: `{results = {{id, name, description, count, is_static, ...}, ...}, count, next, previous}`. A
    cohort that has no name has an empty one.

    ```lua
    local result = app.integrations.posthog.posthog_list_cohorts({limit = 10})
    for _, cohort in ipairs(result.results) do
      print(cohort.id, cohort.name, cohort.count)
    end
    ```

    Source: https://posthog.com/docs/api/cohorts
    """
    page = api.get("cohorts/", cohorts.wire())
    shown: list[Json] = [_with_name(cohort) for cohort in results(page)]
    return page | {"results": shown}


def _with_name(named: JsonObject) -> JsonObject:
    """Give what has no name a text, so that scripts can print it."""
    return named | {"name": named.get("name") or named.get("derived_name") or ""}
