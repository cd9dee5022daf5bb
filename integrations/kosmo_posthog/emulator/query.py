"""Reads of the private API: which rows a request asks for."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.responses import JSONResponse

from kosmo_posthog.emulator.answers import (
    PAGE,
    Refused,
    address,
    not_found,
    page,
    refused,
    uncounted_page,
)
from kosmo_posthog.emulator.persons import distinct_ids_of, owners_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from kosmo_lua.integration import Json, JsonObject
    from kosmo_posthog.emulator.state import Project

    _Row = tuple[datetime, JsonObject]
    """An event with its time."""

MOST_EVENTS = 1000
MOST_OFFSET = 50_000
WINDOWS = (60, 300, 900, 3600, 21_600, 86_400)
"""Seconds before `before` in which the service looks for a page of events, one after the other.

Source: https://github.com/PostHog/posthog/blob/master/posthog/api/event.py (EVENT_LIST_TIME_WINDOWS)
"""

_RELATIVE = re.compile(r"-(\d{1,4})([hdwmqy])")
_HOURS = {"h": 1, "d": 24, "w": 168, "m": 730, "q": 2190, "y": 8760}


def list_events(project: Project, request: Request) -> JsonObject:
    """The events of a project, the latest first: by default those of the last 24 hours.

    Source: https://posthog.com/docs/api/events
    """
    limit, offset = _limit(request), _offset(request)
    now = datetime.now(UTC)
    before = _moment(request.query_params.get("before"), now, now + timedelta(seconds=5))
    after = _moment(request.query_params.get("after"), now, before - timedelta(hours=24))
    rows = [(_time(event), event) for event in _asked_for(project, request)]
    rows = [row for row in rows if after < row[0] < before]
    rows.sort(key=itemgetter(0), reverse=True)
    rows = _probed(rows, after, before, slice(offset, offset + limit))
    found = [event for _, event in rows[offset : offset + limit]]
    has_more = len(rows) > offset + limit and bool(found)
    return {
        # As the service has it: an `offset` stays in the address, which then skips rows again.
        "next": address(request, before=str(found[-1]["timestamp"])) if has_more else None,
        "results": [*_serialized(project, request, found)],
    }


def get_event(project: Project, request: Request, identifier: str) -> JsonObject:
    """One event by its UUID."""
    try:
        UUID(identifier)
    except ValueError:
        body = {"detail": "Invalid UUID", "code": "invalid", "type": "validation_error"}
        raise Refused(JSONResponse(body, 400)) from None
    for event in project.events:
        if event["id"] == identifier.lower():
            return _serialized(project, request, [event])[0]
    raise refused(404, f"No events exist for event UUID {identifier}")


def list_persons(project: Project, request: Request) -> JsonObject:
    """The persons of a project, the latest first; `search` is a part of the email, or a distinct ID."""
    rows = sorted(project.persons, key=lambda person: str(person["created_at"]), reverse=True)
    for name in ("search", "distinct_id", "email"):
        if text := request.query_params.get(name):
            rows = [person for person in rows if _matches(person, name, text)]
    return uncounted_page(request, rows)


def get_person(project: Project, _: Request, identifier: str) -> JsonObject:
    """One person by UUID or number; a distinct ID is refused."""
    try:
        uuid = str(UUID(identifier))
    except ValueError:
        if not re.fullmatch(r"[0-9]{1,18}", identifier):
            detail = (
                "The ID provided does not look like a personID. If you are using a distinctId,"
            )
            instead = f"please use /persons?distinct_id={identifier} instead."
            raise refused(400, f"{detail} {instead}") from None
        return _at(project.persons, int(identifier))
    for person in project.persons:
        if person["uuid"] == uuid:
            return person
    raise not_found()


def list_insights(project: Project, request: Request) -> JsonObject:
    """The insights of a project; with `saved=true` without the drafts, with `basic=true` without results."""
    query = request.query_params
    rows = [each for each in project.insights if not each["deleted"]]
    if _is_true(query.get("saved")):
        rows = [each for each in rows if each["saved"]]
    if kind := query.get("insight"):
        rows = [each for each in rows if _kind(each) == kind]
    if short_id := query.get("short_id"):
        rows = [each for each in rows if each["short_id"] == short_id]
    if _is_true(query.get("basic")):
        rows = [{k: v for k, v in each.items() if k != "result"} for each in rows]
    return page(request, rows)


def get_insight(project: Project, _: Request, identifier: str) -> JsonObject:
    """One insight by its number or its short ID."""
    for each in project.insights:
        if identifier in (str(each["id"]), each["short_id"]) and not each["deleted"]:
            return each
    raise not_found()


def list_dashboards(project: Project, request: Request) -> JsonObject:
    """The dashboards of a project, without their tiles."""
    return page(request, [each for each in project.dashboards if not each["deleted"]])


def get_dashboard(project: Project, _: Request, identifier: str) -> JsonObject:
    """One dashboard with the insights on it."""
    for each in project.dashboards:
        if str(each["id"]) == identifier and not each["deleted"]:
            tiles: list[Json] = [
                {"id": insight["id"], "insight": insight}
                for insight in project.insights
                if each["id"] in _list(insight["dashboards"])
            ]
            return {**each, "filters": {}, "variables": {}, "tiles": tiles}
    raise not_found()


def list_cohorts(project: Project, request: Request) -> JsonObject:
    """The cohorts of a project."""
    return page(request, [each for each in project.cohorts if not each["deleted"]])


def _limit(request: Request) -> int:
    text = request.query_params.get("limit") or str(PAGE)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise refused(500, "A server error occurred.")  # it does not catch what int() raises
    return min(int(text), MOST_EVENTS)


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "")
    offset = int(text) if text.isascii() and text.isdigit() else 0
    if offset > MOST_OFFSET:
        raise refused(400, f"Offset is deprecated. Max supported offset value is {MOST_OFFSET}")
    return offset


def _moment(text: str | None, now: datetime, default: datetime) -> datetime:
    """A time, or a span back from now; anything else is now, as the service has it."""
    if not text:
        return default
    if span := _RELATIVE.fullmatch(text):
        return now - timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(event: JsonObject) -> datetime:
    return _parsed(str(event["timestamp"]))


@lru_cache(maxsize=2**18)
def _parsed(timestamp: str) -> datetime:
    """A time; remembered, because every page of a list looks at every event."""
    return datetime.fromisoformat(timestamp)


def _asked_for(project: Project, request: Request) -> list[JsonObject]:
    """The events with the name, distinct ID and person of the request, at any time."""
    query, rows = request.query_params, project.events
    for name in ("event", "distinct_id"):
        if wanted := query.get(name):
            rows = [event for event in rows if event[name] == wanted]
    if person_id := query.get("person_id"):
        owners = owners_of(project.persons)
        owned = {each for each, person in owners.items() if person["uuid"] == person_id}
        rows = [event for event in rows if event["distinct_id"] in owned]
    return rows


def _probed(rows: list[_Row], after: datetime, before: datetime, page: slice) -> list[_Row]:
    """The rows in which the service looks for a page: the latest, where they fill half of it.

    So a page may be short and have no `next` although there are older events.
    """
    half = max(1, (page.stop - page.start) // 2)
    for seconds in WINDOWS:
        start = before - timedelta(seconds=seconds)
        if start <= after:
            break
        near = [row for row in rows[: page.stop + 1] if row[0] > start]
        if len(near[page]) >= half:
            return near
    return rows


def _serialized(project: Project, request: Request, events: list[JsonObject]) -> list[JsonObject]:
    persons: dict[str, JsonObject] = {}
    if _is_true(request.query_params.get("include_person")):
        owners = owners_of(project.persons)
        for distinct_id in {str(event["distinct_id"]) for event in events}:
            owner = owners.get(distinct_id, {})
            person = {name: owner.get(name) for name in ("is_identified", "properties")}
            persons[distinct_id] = {**person, "distinct_ids": [distinct_id]}
    return [
        {
            **event,
            "person": persons.get(str(event["distinct_id"])),
            "elements": [],
            "elements_chain": "",
        }
        for event in events
    ]


def _matches(person: JsonObject, name: str, text: str) -> bool:
    properties = person["properties"]
    email = str(properties.get("email") or "") if isinstance(properties, dict) else ""
    has_id = text in distinct_ids_of(person)
    if name == "search":
        return has_id or text.lower() in email.lower()
    return has_id if name == "distinct_id" else text == email


def _kind(insight: JsonObject) -> str:
    query = insight["query"]
    source = query.get("source") if isinstance(query, dict) else None
    kind = source.get("kind") if isinstance(source, dict) else None
    return str(kind).removesuffix("Query").upper()


def _at(rows: list[JsonObject], number: int) -> JsonObject:
    if 0 < number <= len(rows):
        return rows[number - 1]
    raise not_found()


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _is_true(text: str | None) -> bool:
    return (text or "").lower() in ("true", "1")
