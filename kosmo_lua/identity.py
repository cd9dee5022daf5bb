"""Identity: the IDs and times of what is sent once. `runs` has those of a run that can be repeated."""

from datetime import UTC, datetime
from uuid import uuid4


def now() -> str:
    """Return the present, to the millisecond: `2026-04-01T10:00:00.000Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Fresh:
    """The identity of what is sent once."""

    @staticmethod
    def new_id() -> str:
        """Return a random UUID."""
        return str(uuid4())

    @staticmethod
    def now() -> str:
        """Return the present."""
        return now()
