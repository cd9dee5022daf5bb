"""PostHog's private API: who may ask, for which project, and what for.

Sources: https://posthog.com/docs/api
         https://github.com/PostHog/posthog/blob/master/posthog/permissions.py
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import JSONResponse, Response

from kosmo_posthog.emulator import flags, query
from kosmo_posthog.emulator.answers import Refused, not_found, refused
from kosmo_posthog.emulator.seed import USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from kosmo_lua.integration import Json, JsonObject
    from kosmo_posthog.emulator.state import Project, State


class Resource(NamedTuple):
    """What a project has many of: its scope, and how rows are read."""

    scope: str
    list: Callable[[Project, Request], JsonObject]
    get: Callable[[Project, Request, str], JsonObject] | None = None


RESOURCES = {
    "events": Resource("query", query.list_events, query.get_event),
    "persons": Resource("person", query.list_persons, query.get_person),
    "feature_flags": Resource("feature_flag", flags.list_flags, flags.get_flag),
    "insights": Resource("insight", query.list_insights, query.get_insight),
    "dashboards": Resource("dashboard", query.list_dashboards, query.get_dashboard),
    "cohorts": Resource("cohort", query.list_cohorts),
}


def answer(state: State, request: Request, body: bytes) -> Response:
    """Answer a request below `/api/`.

    Raises:
        Refused: the key, the project, the scope, the method or the body will not do.
    """
    parts = request.url.path.removeprefix("/api/").strip("/").split("/")
    match parts:
        case ["personal_api_keys", "@current"] if request.method != "GET":
            raise refused(405, f'Method "{request.method}" not allowed.')
        case ["personal_api_keys", "@current"]:
            return JSONResponse(_key(state, request))
        case ["users", "@me"]:
            _check_scope(_key(state, request), "user:read")
            return JSONResponse(USER)
        case ["projects", project, resource] if resource in RESOURCES:
            return _resource(state, request, project, resource, None, body)
        case ["projects", project, resource, identifier] if resource in RESOURCES:
            return _resource(state, request, project, resource, identifier, body)
        case _:
            raise refused(404, "Endpoint not found.")


def _resource(  # noqa: PLR0917  # the parts of a request
    state: State, request: Request, name: str, kind: str, identifier: str | None, body: bytes
) -> Response:
    key = _key(state, request)
    project = _project(state, key, name)
    resource = RESOURCES[kind]
    _check_scope(key, f"{resource.scope}:{'read' if request.method == 'GET' else 'write'}")
    if request.method == "GET" and identifier is None:
        return JSONResponse(resource.list(project, request))
    if request.method == "GET" and identifier is not None and resource.get:
        return JSONResponse(resource.get(project, request, identifier))
    if kind == "feature_flags" and request.method == "POST" and identifier is None:
        return JSONResponse(flags.create_flag(project, _object(body)), 201)
    if kind == "feature_flags" and request.method == "PATCH" and identifier is not None:
        return JSONResponse(flags.update_flag(project, identifier, _object(body)))
    if kind == "feature_flags" and request.method == "DELETE" and identifier is not None:
        raise Refused(Response(status_code=405))  # without a word, unlike any other 405
    if request.method == "GET":
        raise not_found()
    raise refused(405, f'Method "{request.method}" not allowed.')


def _key(state: State, request: Request) -> JsonObject:
    """The personal API key that the request has."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        detail = "Authentication credentials were not provided."
        raise refused(401, detail, code="not_authenticated")
    if key not in state.keys:
        raise refused(401, "Personal API key found in request Authorization header is invalid.")
    return state.keys[key]


def _project(state: State, key: JsonObject, name: str) -> Project:
    """The project of that number, or the one that was opened last; the key must be for it."""
    number = state.current if name == "@current" else int(name) if name.isdecimal() else None
    if number not in state.projects:
        raise refused(404, "Project not found.")
    scoped = _list(key.get("scoped_teams"))
    if scoped and number not in scoped:
        detail = f"API key does not have access to the requested project: ID {number}."
        raise refused(403, detail)
    return state.projects[number]


def _check_scope(key: JsonObject, scope: str) -> None:
    """Refuse a key that lacks a scope; to write implies to read."""
    scopes = _list(key.get("scopes"))
    if not {"*", scope, scope.replace(":read", ":write")} & {str(each) for each in scopes}:
        raise refused(403, f"API key missing required scope '{scope}'")


def _object(body: bytes) -> JsonObject:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise refused(400, "JSON parse error - Expecting value", code="parse_error") from None
    if not isinstance(value, dict):
        detail = f"Invalid data. Expected a dictionary, but got {type(value).__name__}."
        raise refused(400, detail, attr="non_field_errors")
    return value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
