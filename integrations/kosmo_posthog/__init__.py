"""PostHog: capture events; read events, persons, insights and dashboards; manage feature flags.

`client` has the credentials and the two APIs; the other modules have the functions, each beside its model.
"""

from kosmo_posthog import events, flags, insights, keys, persons
from kosmo_posthog.client import PostHog, PostHogCredentials, posthog

__all__ = [
    "PostHog",
    "PostHogCredentials",
    "events",
    "flags",
    "insights",
    "keys",
    "persons",
    "posthog",
]
