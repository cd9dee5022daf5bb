"""How PostHog answers: refusals of both APIs, and lists in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from kosmo_lua.integration import JsonObject

PAGE = 100
"""Rows of a page when the request does not say, or says nothing that is a number."""

_TYPES = {
    400: ("validation_error", "invalid_input"),
    401: ("authentication_error", "authentication_failed"),
    403: ("authentication_error", "permission_denied"),
    404: ("invalid_request", "not_found"),
    405: ("invalid_request", "method_not_allowed"),
    429: ("throttled_error", "throttled"),
}
"""Status -> type and code of an error of the private API. A 403 is called an authentication error, too."""


class Refused(Exception):  # an answer, not a defect
    """A request that is answered with an error."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def not_captured(status: int, text: str) -> Refused:
    """Refuse a request of the capture API, which answers in plain text."""
    return Refused(PlainTextResponse(text, status))


def refused(
    status: int, detail: str, *, code: str | None = None, attr: str | None = None
) -> Refused:
    """Refuse a request of the private API.

    Source: https://github.com/PostHog/drf-exceptions-hog
    """
    kind, usual = _TYPES.get(status, ("server_error", "error"))
    body: JsonObject = {"type": kind, "code": code or usual, "detail": detail, "attr": attr}
    return Refused(JSONResponse(body, status))


def not_found() -> Refused:
    """Refuse a request for what is not there, or was deleted."""
    return refused(404, "Not found.")


def page(request: Request, rows: list[JsonObject]) -> JsonObject:
    """Return the page of a list that the request asks for, with absolute addresses of its neighbours."""
    limit = _number(request, "limit") or PAGE
    offset = _number(request, "offset")
    before, after = max(0, offset - limit), offset + limit
    return {
        "count": len(rows),
        "next": address(request, offset=str(after)) if after < len(rows) else None,
        "previous": address(request, offset=str(before)) if offset > 0 else None,
        "results": [*rows[offset:after]],
    }


def uncounted_page(request: Request, rows: list[JsonObject]) -> JsonObject:
    """Return a page of a list that is not counted: after a full page there may be an empty one."""
    limit = _number(request, "limit") or PAGE
    offset = _number(request, "offset")
    found = rows[offset : offset + limit]
    before = offset - limit
    return {
        "results": [*found],
        "next": address(request, offset=str(offset + limit)) if len(found) == limit else None,
        "previous": address(request, offset=str(before)) if before >= 0 else None,
    }


def address(request: Request, **changes: str) -> str:
    """Return the absolute address of the request with other parameters."""
    query = dict(parse_qsl(request.url.query, keep_blank_values=True)) | changes
    return str(request.url.replace(query=urlencode(query)))


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
