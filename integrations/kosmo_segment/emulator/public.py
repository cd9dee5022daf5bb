"""PublicApi: Segment's Public API, which reads one workspace and its sources with a token."""

import base64
import re
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Protocol

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kosmo_lua.integration import JsonObject
from kosmo_segment.emulator.errors import Refused, problem

API_TOKEN = "emulator-api-token"  # noqa: S105  # the emulator's own, which opens nothing
"""The only token that the emulated Public API knows."""


class Data(Protocol):
    """What the API reads, in the shape in which it answers."""

    workspace: JsonObject
    sources: list[JsonObject]


class PublicApi:
    """The operations of the API on the data, as they are at the time of a request."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.routes = [
            Route("/", _checked(self._get_workspace)),
            Route("/sources", _checked(self._list_sources)),
            Route("/sources/{source_id}", _checked(self._get_source)),
        ]

    def _get_workspace(self, _: Request) -> JsonObject:
        return {"workspace": self._data.workspace}

    def _list_sources(self, request: Request) -> JsonObject:
        sources = self._data.sources
        start, end, pagination = _page(request.query_params, len(sources))
        return {"sources": [*sources[start:end]], "pagination": pagination}

    def _get_source(self, request: Request) -> JsonObject:
        source_id = request.path_params["source_id"]
        if len(source_id) > 255:  # noqa: PLR2004  # as documented, and used here only
            raise problem(422, '"sourceId" must have at most 255 characters', field="sourceId")
        for source in self._data.sources:
            if source["id"] == source_id:
                return {"source": source, "trackingPlanId": None}
        raise problem(404, f"Source with id '{source_id}' not found.", data=None)


def _checked(
    operation: Callable[[Request], JsonObject],
) -> Callable[[Request], Awaitable[Response]]:
    """Check the token, and put what an operation returns into the envelope of an answer."""

    async def answer(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if (scheme.lower(), token) != ("bearer", API_TOKEN):
            return problem(401, "The API token is missing or invalid.").response
        try:
            data = operation(request)
        except Refused as refused:
            return refused.response
        # A date, where the reset of the Tracking API is a number of seconds.
        reset = formatdate(time.time() + 60, usegmt=True)
        limit = {"Consumed": "1", "Remaining": "59", "Reset": reset}
        headers = {f"X-RateLimit-{name}": value for name, value in limit.items()}
        return JSONResponse({"data": data}, headers=headers)

    return answer


def _page(query: QueryParams, total: int) -> tuple[int, int, JsonObject]:
    """Where the page starts and ends that the query asks for, and its `pagination`."""
    count, cursor = (
        query.get(f"pagination.{name}", query.get(f"pagination[{name}]", default))
        for name, default in (("count", "200"), ("cursor", _cursor(0)))
    )
    if not re.fullmatch(r"[1-9][0-9]{0,2}|1000", count):
        message = '"pagination.count" must be a number from 1 to 1000'
        raise problem(422, message, field="pagination.count")
    start = _offset(cursor)
    end = start + int(count)
    pagination: JsonObject = {"current": _cursor(start), "totalEntries": total}
    if end < total:
        pagination["next"] = _cursor(end)
    if start > 0:
        pagination["previous"] = _cursor(max(0, start - int(count)))
    return start, end, pagination


def _cursor(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def _offset(cursor: str) -> int:
    try:
        digits = base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        digits = ""
    if not re.fullmatch(r"[0-9]{1,9}", digits):
        message = '"pagination.cursor" is not a cursor of this list'
        raise problem(422, message, field="pagination.cursor")
    return int(digits)
