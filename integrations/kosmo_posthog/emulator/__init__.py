"""PostHog's capture API and private API, emulated in memory.

As strict as the real servers: capture checks the form of a key and of an event and answers 200 to the
rest (`accepted` and `reason` of an event tell what became of it), the private API checks key, scope and
project. What is captured is listed afterwards. Nothing here is shared with the adapter: a fake that
shares its code agrees with its mistakes.

Sources: https://posthog.com/docs/api and https://github.com/PostHog/posthog
"""

from __future__ import annotations

import json
import math
import threading
from datetime import UTC, datetime
from http.client import responses
from typing import TYPE_CHECKING
from uuid import uuid4

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kosmo_lua.emulator import EmulatedService
from kosmo_posthog.emulator import private, seed
from kosmo_posthog.emulator.answers import Refused, refused
from kosmo_posthog.emulator.capture import BATCH_LIMIT, Captured, captured
from kosmo_posthog.emulator.persons import Sighting
from kosmo_posthog.emulator.state import PERSONAL_API_KEY, PROJECT_API_KEY, Project, State

if TYPE_CHECKING:
    from starlette.requests import Request

    from kosmo_lua.integration import Json, JsonObject

__all__ = ["PERSONAL_API_KEY", "PROJECT_API_KEY", "PostHogEmulator", "Project", "State"]

_CAPTURE = ("/i/v0/e", "/e", "/capture", "/track", "/batch")
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_WRITES = {"POST": "create_feature_flag", "PATCH": "update_feature_flag"}
_TOO_MANY = 429
_WORDS = {429: "rate limited", 503: "transient error, please retry"}


class PostHogEmulator(EmulatedService):
    """Two projects, and everything that was sent to them.

    `state` is plain data in the shapes of the API: change it as a test needs; `reset` restores it.
    """

    max_body = BATCH_LIMIT

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.routes = [
            *(Route(path, self._capture, methods=["POST"]) for path in _CAPTURE),
            *(Route(f"{path}/", self._capture, methods=["POST"]) for path in _CAPTURE),
            Route("/api/{rest:path}", self._private, methods=_METHODS),
        ]
        self.reset()

    def reset(self) -> None:
        """Forget what was sent, and restore keys and projects."""
        with self._lock:
            self._events: list[JsonObject] = []
            self._seen: set[tuple[str, ...]] = set()
            self.state = seed.state()

    def events(self) -> list[JsonObject]:
        """Every event that was captured and every flag that was written, oldest first.

        `type` is `capture`, `create_feature_flag` or `update_feature_flag`; `message` is what was sent, an
        event without its key. `accepted` says whether PostHog goes on with it, `reason` why not, and
        `duplicate` whether the same event came before.
        """
        with self._lock:
            return list(self._events)

    def error(self, status: int, path: str, retry_after: float | None) -> Response:
        """Answer like the API that the path belongs to: plain text, or `type`, `code`, `detail`."""
        wait = 1 if retry_after is None else retry_after
        words = responses.get(status, f"Status {status}")
        if not path.startswith("/api/"):
            return PlainTextResponse(_WORDS.get(status, words.lower()), status)
        if status == _TOO_MANY:
            words = f"Request was throttled. Expected available in {math.ceil(wait)} seconds."
        elif status >= 500:  # noqa: PLR2004  # HTTP
            words = "A server error occurred."
        response = refused(status, words).response
        if status == _TOO_MANY:
            response.headers["Retry-After"] = str(math.ceil(wait))
        return response

    async def _capture(self, request: Request) -> Response:
        try:
            events = captured(request, await request.body())
        except Refused as error:
            return error.response
        with self._lock:
            for event in events:
                self._record_event(event, request.url.path)
        return JSONResponse({"status": "Ok"})

    async def _private(self, request: Request) -> Response:
        body = await request.body()
        with self._lock:
            try:
                response = private.answer(self.state, request, body)
            except Refused as error:
                return error.response
            if request.method in _WRITES:
                facts = {"type": _WRITES[request.method], "message": json.loads(body)}
                self._record(request.url.path, _now(), **facts)
        return response

    def _record_event(self, event: Captured, path: str) -> None:
        """Note an event, and keep it where a project has its key and it is not there yet."""
        now = _now()
        time = _milliseconds((event.timestamp or now).astimezone(UTC))
        identity = (event.uuid or str(uuid4()), event.name, event.distinct_id, str(time.date()))
        project = next((p for p in self._projects if p.api_key == event.api_key), None)
        is_known = project is not None and identity in self._seen
        self._record(
            path,
            now,
            type="capture",
            api_key=event.api_key,
            accepted=project is not None,
            reason=None if project else "no project has this API key",
            duplicate=is_known,
            message=event.message,
        )
        if project and not is_known:
            self._seen.add(identity)
            _keep(project, event, identity[0], time)

    def _record(self, path: str, now: datetime, **facts: Json) -> None:
        received_at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fixed: JsonObject = {"integration": "posthog", "path": path, "received_at": received_at}
        state: JsonObject = {"accepted": True, "reason": None, "duplicate": False}
        self._events.append(fixed | state | facts)

    @property
    def _projects(self) -> list[Project]:
        return [*self.state.projects.values()]


def _now() -> datetime:
    return datetime.now(UTC)


def _milliseconds(time: datetime) -> datetime:
    """A time as PostHog stores it: its ingestion drops the microseconds, its columns have them.

    Source: https://github.com/PostHog/posthog/blob/master/plugin-server/src/utils/utils.ts
    """
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _keep(project: Project, event: Captured, uuid: str, time: datetime) -> None:
    """Let an event be listed, and its user be a person, with the properties that it sets."""
    properties = dict(event.properties)
    for name in ("$set", "$set_once"):
        if isinstance(event.message.get(name), dict):
            properties.setdefault(name, event.message[name])
    project.events.append(
        {
            "id": uuid,
            "distinct_id": event.distinct_id,
            "properties": properties,
            "event": event.name,
            "timestamp": time.isoformat(),
        }
    )
    if properties.get("$process_person_profile") is not False:
        project.people.saw(Sighting(event.distinct_id, properties, time))
