"""How PostHog's lists are read to their end: most by the address of the next page, events by time.

Source: https://posthog.com/docs/api#pagination
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import JsonObject, Rows
from kosmo_posthog.client import Page, PostHog, results

MOST_EVENTS = 1000
"""The most events that one list has; PostHog silently cuts a higher limit to it."""

REMEMBERED = 3
"""What comes twice comes on the next page, or soon after: the rows of so many pages are remembered."""

List = Callable[[PostHog, Any], JsonObject]


class _Seen:
    """The rows of the last pages, by their IDs."""

    def __init__(self) -> None:
        self._pages = deque[set[object]](maxlen=REMEMBERED)

    def fresh(self, rows: list[JsonObject]) -> list[JsonObject]:
        """Return the rows that were not there before."""
        own: set[object] = {row.get("id") for row in rows}
        known = {name for page in self._pages for name in page & own if name is not None}
        self._pages.append(own)
        return [row for row in rows if row.get("id") not in known] if known else rows


def by_address(read: List, api: PostHog, page: Page) -> Iterator[Rows]:
    """Follow `next`, as far as it is on the same host: a key goes nowhere else."""
    seen = _Seen()
    while True:
        found = read(api, page)
        following = found.get("next")
        fresh = seen.fresh(results(found))
        more = bool(following) and bool(results(found))
        yield Rows([*fresh], more=more)
        if not more:
            return
        page = page.model_copy(update={"offset": _offset(api, str(following), page)})


def _offset(api: PostHog, address: str, page: Page) -> int:
    """Return where the next page begins."""
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" != api.credentials.app:
        message = f"the next page is said to be on another host, {parts.netloc}: not followed"
        raise ServiceError(
            message, hint="Look at the setting url: it must be the host of the app."
        )
    [offset] = parse_qs(parts.query).get("offset", [""])[:1]
    if not offset.isdecimal() or int(offset) <= (page.offset or 0):
        message = "PostHog's paging does not go on: the next page begins before this one"
        raise ServiceError(message)
    return int(offset)


def by_time(read: List, api: PostHog, page: Any) -> Iterator[Rows]:  # noqa: ANN401  # Events, which imports this
    """Ask for what came before the last row, until nothing did: never by a stale offset.

    `next` does not say it: PostHog looks back a minute, then five, ..., and half a page is enough for it.
    Source: https://github.com/PostHog/posthog/blob/master/posthog/api/event.py
    """
    seen, now = _Seen(), datetime.now(UTC)
    while True:
        rows = results(read(api, page))
        fresh = seen.fresh(rows)
        yield Rows([*fresh], more=bool(rows))
        if not rows:
            return
        if page.after is None:
            page = page.model_copy(update={"after": _day_before(page.before, rows, now)})
        page = page.model_copy(update=_bounds(page, rows, goes_on=bool(fresh)))


def _day_before(before: str | None, rows: list[JsonObject], now: datetime) -> str:
    """Return since when PostHog lists if nobody says it: a day before `before`, which moves on."""
    # What `-7d` means is PostHog's to say; the latest event came not long before.
    known = rows[0].get("timestamp") if before and before.startswith("-") else before
    end = _time_of(known) if known else now
    return (end - timedelta(hours=24)).isoformat()


def _bounds(page: Any, rows: list[JsonObject], *, goes_on: bool) -> JsonObject:  # noqa: ANN401  # as above
    """Return the bounds of the next page."""
    last = _time_of(rows[-1].get("timestamp"))
    # `before` excludes its own time. Only on a full page there may be more events of that time.
    is_full = len(rows) >= min(page.limit, MOST_EVENTS)
    before = last + timedelta(microseconds=is_full)
    if page.before is None or page.before.startswith("-") or before < _time_of(page.before):
        return {"before": before.isoformat(), "offset": None}
    if is_full and (
        goes_on or not page.offset
    ):  # a whole page of one time: only an offset leads beyond it
        return {"offset": (page.offset or 0) + len(rows)}
    raise ServiceError("PostHog's paging does not go on: the same events come again")


def _time_of(text: object) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        message = "PostHog has sent an event without a time: its list cannot be read on"
        raise ServiceError(message) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
