"""Refused: a request that is answered with an error; and the errors of both APIs, each in its own shape."""

import math
from http.client import responses

from starlette.responses import JSONResponse, Response

from kosmo_lua.integration import Json, JsonObject

_TOO_MANY = 429

_PROBLEMS = {401: "unauthorized", 404: "not-found", 422: "input-validation", 429: "RequestError"}
"""The `type` of an error of the Public API; `server` of any other."""


class Refused(Exception):  # an answer, not a defect
    """A request that is answered with an error."""

    def __init__(self, status: int, body: JsonObject) -> None:
        super().__init__(status)
        self.response = JSONResponse(body, status)


def bad_request(code: str, message: str) -> Refused:
    """Refuse a request in the manner of the Tracking API."""
    return Refused(400, {"code": code, "message": message})


def problem(status: int, message: str, **facts: Json) -> Refused:
    """Refuse a request in the manner of the Public API."""
    kind = _PROBLEMS.get(status, "server")
    return Refused(status, {"errors": [{"type": kind, "message": message, **facts}]})


def tracking_error(status: int, wait: float) -> Response:
    """What the Tracking API answers when it fails; on 429 it asks for a wait of so many seconds."""
    message = _phrase(status)
    code = message.lower().replace(" ", "_")
    response = JSONResponse({"code": code, "message": message}, status)
    if status == _TOO_MANY:
        response.headers.update({"Retry-After": f"{wait:g}", "X-RateLimit-Reset": f"{wait:g}"})
    return response


def public_error(status: int, wait: float) -> Response:
    """What the Public API answers when it fails; on 429 it asks for a wait of so many seconds."""
    if status != _TOO_MANY:
        return problem(status, _phrase(status)).response
    milliseconds = math.ceil(wait * 1000)
    points = {"remainingPoints": 0, "msBeforeNext": milliseconds, "consumedPoints": 21}
    response = problem(status, "Too many requests", data={**points}).response
    response.headers["Retry-After"] = f"{wait:g}"
    return response


def _phrase(status: int) -> str:
    return responses.get(status, f"Status {status}")
