"""Persons: those of an emulated project, whom captured events make and change.

Sources: https://posthog.com/docs/data/persons
         https://posthog.com/docs/product-analytics/person-properties
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from kosmo_lua.integration import Json, JsonObject


class Sighting(NamedTuple):
    """An event of somebody, with the properties that it sets, among others."""

    distinct_id: str
    properties: JsonObject
    time: datetime


class Persons:
    """The persons of a project in the shape of the API.

    What is seen of them is worked in when somebody looks: to search the owner of the ID of each event
    would take the square of the time of the events.
    """

    def __init__(self, rows: list[JsonObject] | None = None) -> None:
        self._rows: list[JsonObject] = [] if rows is None else rows
        self._sightings: list[Sighting] = []

    def saw(self, sighting: Sighting) -> None:
        """Let an event make its person, or change them."""
        self._sightings.append(sighting)

    def rows(self, project: int) -> list[JsonObject]:
        """Those of the project of that number, the first one seen first; the list itself, to be changed."""
        seen, self._sightings = self._sightings, []
        owners = owners_of(self._rows) if seen else {}
        for sighting in seen:
            if sighting.distinct_id not in owners:
                made = _made(sighting, project)
                owners[sighting.distinct_id] = made
                self._rows.append(made)
            _set_properties(owners[sighting.distinct_id], sighting)
        return self._rows


def person(uuid: str, distinct_ids: list[Json], created_at: str, **properties: Json) -> JsonObject:
    """A person as the API describes it; without properties nobody has identified them yet."""
    return {
        "id": uuid,
        "type": "person",
        "uuid": uuid,
        "created_at": created_at,
        "properties": {**properties},
        "is_identified": bool(properties),
        "name": properties.get("email") or distinct_ids[0],
        "distinct_ids": distinct_ids,
        "last_seen_at": None,
    }


def owners_of(persons: list[JsonObject]) -> dict[str, JsonObject]:
    """The person of each distinct ID; the first one where there are two."""
    return {
        str(distinct_id): each
        for each in reversed(persons)
        for distinct_id in distinct_ids_of(each)
    }


def distinct_ids_of(person: JsonObject) -> list[Json]:
    """The distinct IDs of a person."""
    distinct_ids = person["distinct_ids"]
    return distinct_ids if isinstance(distinct_ids, list) else []


def _made(sighting: Sighting, project: int) -> JsonObject:
    created_at = sighting.time.isoformat().replace("+00:00", "Z")
    uuid = str(uuid5(NAMESPACE_URL, f"{project}/{sighting.distinct_id}"))
    return person(uuid, [sighting.distinct_id], created_at)


def _set_properties(person: JsonObject, sighting: Sighting) -> None:
    known, changed, once = (
        each if isinstance(each, dict) else {}
        for each in (
            person["properties"],
            sighting.properties.get("$set"),
            sighting.properties.get("$set_once"),
        )
    )
    properties = once | known | changed
    person |= {"properties": properties, "is_identified": bool(properties)}
    person["name"] = properties.get("email") or sighting.distinct_id
