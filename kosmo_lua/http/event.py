"""Event: a write that a service takes alone, or with others in one request."""

from typing import NamedTuple

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.values import JsonObject


class Event(NamedTuple):
    """What a function returns that only makes an event: the client of its service delivers it."""

    content: bytes
    """Its JSON as the service takes it in a batch, with an ID that makes sending it again harmless."""
    id: JsonObject
    """What names it in answers, such as `{"message_id": "..."}`."""
    answer: JsonObject
    """What the function returns when the service has taken the event."""


class BatchLimits(NamedTuple):
    """How much one request may hold: bytes of its body, events, and bytes of one event."""

    size: int
    events: int
    event_size: int

    def check(self, content: bytes, title: str) -> None:
        """Return when an event is not too large for the service of this title.

        Raises:
            InvalidArguments: it is.
        """
        if len(content) > self.event_size:
            problem = (
                f"the event is {len(content):,} bytes; {title} takes at most {self.event_size:,}"
            )
            raise InvalidArguments(
                problem, hint="Send fewer or shorter values, or several events."
            )
