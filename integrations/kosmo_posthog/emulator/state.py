"""State: all that an emulated PostHog holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kosmo_posthog.emulator.persons import Persons

if TYPE_CHECKING:
    from kosmo_lua.integration import JsonObject

PERSONAL_API_KEY = "phx_emulator"
"""A key with all scopes, limited to the first project."""

PROJECT_API_KEY = "phc_emulator"
"""The key under which the first project takes events."""


@dataclass
class Project:
    """One project: its number, its key for events, and its data in the shapes of the API."""

    id: int
    api_key: str
    events: list[JsonObject] = field(default_factory=list)
    people: Persons = field(default_factory=Persons)
    flags: list[JsonObject] = field(default_factory=list)
    insights: list[JsonObject] = field(default_factory=list)
    dashboards: list[JsonObject] = field(default_factory=list)
    cohorts: list[JsonObject] = field(default_factory=list)

    @property
    def persons(self) -> list[JsonObject]:
        """The persons; `people` has also what was seen of them and is not worked in yet."""
        return self.people.rows(self.id)

    @persons.setter
    def persons(self, rows: list[JsonObject]) -> None:
        self.people = Persons(rows)


@dataclass
class State:
    """All that an emulated PostHog holds. Change it as a test needs; a reset makes it anew."""

    keys: dict[str, JsonObject]
    """The personal API keys by their value: `scopes`, `scoped_teams` and the rest as the API has them."""
    projects: dict[int, Project]
    current: int | None
    """The project that the owner of every key opened last: `@current`."""
