"""How PostHog's lists are read to their end: most by the address of the next page, events by time.

Source: https://posthog.com/docs/api#pagination
"""

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import JsonObject, Rows
from kosmo_posthog.client import Page, PostHog, results

REMEMBERED = 3
"""What comes twice comes on the next page, or soon after: the rows of so many pages are remembered."""

List = Callable[[PostHog, Any], JsonObject]


class _Seen:
    """The rows of the last pages, by their IDs."""

    def __init__(self) -> None:
        self._pages = deque[set[object]](maxlen=REMEMBERED)

    def fresh(self, rows: list[JsonObject]) -> list[JsonObject]:
        """Return the rows that were not there before."""
        known = set[object]().union(*self._pages)
        self._pages.append({row.get("id") for row in rows})
        return [row for row in rows if row.get("id") is None or row["id"] not in known]


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
    """Ask for what came before the last row, never by a stale offset; what has its very time comes again."""
    seen = _Seen()
    while True:
        found = read(api, page)
        rows = results(found)
        fresh = seen.fresh(rows)
        more = bool(found.get("next")) and bool(rows)
        yield Rows([*fresh], more=more)
        if not more:
            return
        page = page.model_copy(update=_before(rows, fresh, page))


def _before(rows: list[JsonObject], fresh: list[JsonObject], page: Any) -> JsonObject:  # noqa: ANN401  # as above
    """Return the bounds of the next page."""
    if not fresh:  # a whole page of one time: only an offset leads beyond it
        return {"offset": (page.offset or 0) + len(rows)}
    try:
        last = datetime.fromisoformat(str(rows[-1].get("timestamp")))
    except ValueError:
        message = "PostHog has sent an event without a time: its list cannot be read on"
        raise ServiceError(message) from None
    # `before` excludes its own time, at which there may be more events than fitted on the page.
    return {"before": (last + timedelta(microseconds=1)).isoformat(), "offset": None}
