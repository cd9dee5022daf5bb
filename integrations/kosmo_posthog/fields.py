"""What the parameters of more than one function are: times and identifiers."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator


def _utc(text: str) -> str:
    """Write a time as UTC; one without a zone is UTC, and not the project's time."""
    try:
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        message = "must be an ISO 8601 time such as 2026-04-01T00:00:00Z"
        raise ValueError(message) from None


def _moment(text: str) -> str:
    if len(text) <= len("2026-04-01"):
        message = "must be a time and not only a date, such as 2026-04-01T00:00:00Z"
        raise ValueError(message)
    return _utc(text)


def _bound(text: str) -> str:
    return text if re.fullmatch(r"-\d+[hdwmqy]", text) else _utc(text)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        message = "must be a UUID"
        raise ValueError(message) from None


def _person(text: str) -> str:
    try:
        return text if text.isascii() and text.isdigit() else _uuid(text)
    except ValueError:
        message = "must be the UUID of a person, which posthog_list_persons finds by a distinct ID"
        raise ValueError(message) from None


Moment = Annotated[str, AfterValidator(_moment)]
Bound = Annotated[str, AfterValidator(_bound)]
Uuid = Annotated[str, AfterValidator(_uuid)]
PersonId = Annotated[str, AfterValidator(_person)]
