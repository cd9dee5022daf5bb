"""What an emulated PostHog begins with: a key, two projects, and the data of the first.

The same every time: a workflow that ran once prints the same again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kosmo_posthog.emulator.persons import Persons, person
from kosmo_posthog.emulator.state import PERSONAL_API_KEY, PROJECT_API_KEY, Project, State

if TYPE_CHECKING:
    from kosmo_lua.integration import Json, JsonObject


def state() -> State:
    """The first project has data, the second none; the key may use the first only."""
    first = Project(
        1,
        PROJECT_API_KEY,
        events=_events(),
        people=Persons(_persons()),
        flags=_flags(),
        insights=_insights(),
        dashboards=_dashboards(),
        cohorts=_cohorts(),
    )
    second = Project(2, "phc_emulator_second")
    return State({PERSONAL_API_KEY: _key()}, {1: first, 2: second}, current=1)


def _key() -> JsonObject:
    return {
        "id": "emulatedKey",
        "label": "Emulator",
        "value": None,
        "mask_value": "phx_...ator",
        "created_at": "2026-01-01T00:00:00Z",
        "last_used_at": None,
        "user_id": USER["id"],
        "scopes": ["*"],
        "scoped_teams": [1],
        "scoped_organizations": [],
    }


USER: JsonObject = {
    "id": 1,
    "uuid": "0196f1c2-0000-7000-8000-000000000f01",
    "distinct_id": "emulated-user",
    "first_name": "Jo",
    "last_name": "Doe",
    "email": "jo@example.com",
}

_VISITS = (
    ("2026-04-02T09:00:00+00:00", "user-123", "/"),
    ("2026-04-02T09:01:30+00:00", "user-123", "/pricing"),
    ("2026-04-03T14:20:00+00:00", "user-456", "/docs"),
    ("2026-04-05T08:00:00+00:00", "anonymous-1", "/"),
    ("2026-04-06T17:45:00+00:00", "user-123", "/checkout"),
)


def _events() -> list[JsonObject]:
    """One page view before April 2026, five in April, and two events of other names."""
    visits = [("2026-03-20T12:00:00+00:00", "user-456", "/blog"), *_VISITS]
    events = [
        _event(number, "$pageview", time, who, {"$pathname": path, "$lib": "web"})
        for number, (time, who, path) in enumerate(visits)
    ]
    bought: JsonObject = {"product": "Pro Plan", "amount": 49.99}
    events.append(_event(6, "purchase", "2026-04-06T17:50:00+00:00", "user-123", bought))
    events.append(_event(7, "signup", "2026-03-01T09:00:00+00:00", "user-123", {"plan": "free"}))
    return events


def _event(
    number: int, name: str, time: str, distinct_id: str, properties: JsonObject
) -> JsonObject:
    return {
        "id": f"0196f1c2-0000-7000-8000-00000000000{number}",
        "distinct_id": distinct_id,
        "properties": properties,
        "event": name,
        "timestamp": time,
    }


def _persons() -> list[JsonObject]:
    uuids = [f"0196f1c2-0000-7000-8000-00000000010{number}" for number in (1, 2, 3)]
    return [
        person(
            uuids[0], ["user-123"], "2026-03-01T09:00:00Z", email="jane@example.com", plan="pro"
        ),
        person(
            uuids[1], ["user-456"], "2026-03-20T12:00:00Z", email="sam@example.com", plan="free"
        ),
        person(uuids[2], ["anonymous-1"], "2026-04-05T08:00:00Z"),
    ]


def _flags() -> list[JsonObject]:
    """An old flag for everyone, one for a part, one with variants, payloads and two condition sets."""
    betas: JsonObject = {
        "key": "email", "type": "person", "value": "@example.com", "operator": "icontains"
    }  # fmt: skip
    return [
        flag(
            1,
            "old-navigation",
            "Old navigation",
            [_group(None)],
            created_at="2024-02-01T10:00:00Z",
        ),
        flag(
            2, "new-search", "New search", [_group(25, betas)], payloads={"true": '{"size": 10}'}
        ),
        flag(3, "button-color", "Colour", [_group(50, betas), _group(10)], variants=_VARIANTS),
        flag(4, "retired-banner", "Retired banner", [_group(100)], active=False),
    ]


_VARIANTS: list[Json] = [
    {"key": "control", "name": "Grey", "rollout_percentage": 50},
    {"key": "test", "name": "Green", "rollout_percentage": 50},
]


def _group(percentage: int | None, *properties: JsonObject) -> JsonObject:
    return {
        "variant": None,
        "properties": [*properties],
        "rollout_percentage": percentage,
        "aggregation_group_type_index": None,
    }


def flag(  # noqa: PLR0913  # all but two are optional
    number: int,
    key: str,
    name: str = "",
    groups: list[JsonObject] | None = None,
    *,
    active: bool = True,
    payloads: JsonObject | None = None,
    variants: list[Json] | None = None,
    created_at: str = "2026-03-15T10:00:00Z",
) -> JsonObject:
    """A feature flag as the API describes it; without groups it has none yet."""
    filters: JsonObject = {"groups": [*(groups or [])], "payloads": payloads or {}}
    filters["multivariate"] = {"variants": variants} if variants else None
    return {
        "id": number,
        "name": name,
        "key": key,
        "filters": filters,
        "deleted": False,
        "active": active,
        "created_by": USER_BASIC,
        "created_at": created_at,
        "updated_at": created_at,
        "version": 1,
        "last_modified_by": USER_BASIC,
        "ensure_experience_continuity": False,
        "experiment_set": [],
        "tags": [],
        "can_edit": True,
        "status": "ACTIVE",
        "user_access_level": "manager",
    }


USER_BASIC: JsonObject = {
    name: USER[name] for name in ("id", "uuid", "distinct_id", "first_name", "email")
}


def _insights() -> list[JsonObject]:
    """Two that were saved, of which one has no name of its own, and a draft."""
    return [
        _insight(1, "aB3dE6gH", "Page views per day", "TrendsQuery", result=[{"count": 6}]),
        _insight(2, "jK9mN2pQ", None, "FunnelsQuery", derived_name="$pageview -> purchase"),
        _insight(3, "rS5tU8vW", None, "RetentionQuery", saved=False),
    ]


def _insight(number: int, short_id: str, name: str | None, kind: str, **other: Json) -> JsonObject:
    return {
        "id": number,
        "short_id": short_id,
        "name": name,
        "derived_name": None,
        "query": {"kind": "InsightVizNode", "source": {"kind": kind}},
        "dashboards": [1],
        "description": "",
        "favorited": False,
        "saved": True,
        "deleted": False,
        "last_refresh": "2026-04-07T06:00:00Z",
        "result": None,
        "created_at": "2026-03-10T10:00:00Z",
        "created_by": USER_BASIC,
        "tags": [],
        **other,
    }


def _dashboards() -> list[JsonObject]:
    """Two, of which one has no name."""
    return [_dashboard(1, "Product overview", pinned=True), _dashboard(2, None)]


def _dashboard(number: int, name: str | None, *, pinned: bool = False) -> JsonObject:
    return {
        "id": number,
        "name": name,
        "description": "",
        "pinned": pinned,
        "created_at": "2026-03-10T10:00:00Z",
        "created_by": USER_BASIC,
        "is_shared": False,
        "deleted": False,
        "tags": [],
    }


def _cohorts() -> list[JsonObject]:
    return [_cohort(1, "Paying customers", 1), _cohort(2, "Beta testers", 2, is_static=True)]


def _cohort(number: int, name: str, count: int, *, is_static: bool = False) -> JsonObject:
    plan: JsonObject = {"key": "plan", "type": "person", "value": "pro", "operator": "exact"}
    return {
        "id": number,
        "name": name,
        "description": "",
        "deleted": False,
        "filters": None if is_static else {"properties": {"type": "AND", "values": [plan]}},
        "is_static": is_static,
        "is_calculating": False,
        "count": count,
        "created_at": "2026-03-12T10:00:00Z",
        "created_by": USER_BASIC,
    }
