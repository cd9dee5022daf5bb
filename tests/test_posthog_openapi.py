"""The wire against PostHog's official schemas: what the adapter asks, and what the emulator answers."""

import json
import ssl
from typing import Any

import httpx
import pytest
from conftest import API
from jsonschema import Draft202012Validator
from posthog_service import EVENT, PERSON, Call, Lua, RecordingPostHog, Sent, group
from starlette.responses import Response

from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import JsonObject
from kosmo_posthog import posthog

SCHEMAS = API / "posthog.openapi.json"
pytestmark = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="the schemas of PostHog are not part of a clone"
)
TLS = ssl.create_default_context()
"""Unused, but httpx wants one for every request, and making it takes 40 ms."""


class Document:
    """PostHog's OpenAPI document."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = json.loads(SCHEMAS.read_text(encoding="utf-8"))

    def operation(self, request: Sent) -> dict[str, Any]:
        """Return the operation that answers a request."""
        path = request.path.partition("?")[0]
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "projects"]:
            identifier = "{id}/" if len(parts) > 4 else ""
            path = f"/api/projects/{{project_id}}/{parts[3]}/{identifier}"
        operation: dict[str, Any] = self.document["paths"][path][request.method.lower()]
        return operation

    def check_request(self, request: Sent) -> None:
        """Assert that PostHog knows every parameter of a request, and its body."""
        operation = self.operation(request)
        known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        query = request.path.partition("?")[2]
        assert {pair.partition("=")[0] for pair in query.split("&") if pair} <= known
        if request.body is not None:
            self._validate(request.body, operation["requestBody"]["content"])

    def check_answer(self, request: Sent, answer: Response) -> None:
        """Assert that the status of an answer is documented, and its body as it should be."""
        documented = self.operation(request)["responses"]
        status = str(answer.status_code)
        assert status in documented, (request, status)
        content = documented[status].get("content")
        body = bytes(answer.body)
        if content is None:
            assert body == b""
        elif "text/plain" in content:
            assert answer.headers["content-type"].startswith("text/plain")
        else:
            self._validate(json.loads(body), content)

    def _validate(self, value: object, content: dict[str, Any]) -> None:
        components = {"components": self.document["components"]}
        whole = {**content["application/json"]["schema"], **components}
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(whole, format_checker=checker).validate(value)


CALLS: list[tuple[str, JsonObject]] = [
    ("capture_event", {"event": "e", "distinct_id": "u", "timestamp": "2026-04-01T00:00:00"}),
    ("capture_event", {"event": "e", "distinct_id": "u", "properties": {"list": []}}),
    ("list_events", {"after": "-7d", "before": "2026-05-01", "event": "e", "distinct_id": "u"}),
    ("list_events", {"after": "2026-03-01", "limit": 5000, "offset": 1, "person_id": PERSON}),
    ("get_event", {"event_id": EVENT}),
    ("list_persons", {"limit": 1, "offset": 1, "search": "a"}),
    ("get_person", {"person_id": PERSON}),
    ("list_feature_flags", {"limit": 1, "offset": 1}),
    ("get_feature_flag", {"flag_id": 3}),
    ("create_feature_flag", {"name": "", "key": "k", "rollout_percentage": 50}),
    ("update_feature_flag", {"flag_id": 2, "rollout_percentage": 50}),
    ("update_feature_flag", {"flag_id": 3, "filters": {"groups": [group(1)]}, "active": True}),
    ("delete_feature_flag", {"flag_id": 1}),
    ("list_insights", {"type": "TRENDS", "limit": 1, "offset": 0}),
    ("get_insight", {"insight_id": 1}),
    ("list_dashboards", {"limit": 1}),
    ("get_dashboard", {"dashboard_id": 1}),
    ("list_cohorts", {"limit": 1, "offset": 1}),
    # Page after page.
    ("each_event", {"after": "2026-03-01", "limit": 2}),
    ("each_person", {"limit": 1}),
    ("each_feature_flag", {"limit": 1}),
    ("each_insight", {"limit": 1}),
    ("each_dashboard", {"limit": 1}),
    ("each_cohort", {"limit": 1}),
    # What is not there, and what is refused.
    ("get_event", {"event_id": EVENT.replace("1", "0")}),
    ("get_person", {"person_id": "77"}),
    ("get_feature_flag", {"flag_id": 77}),
    ("update_feature_flag", {"flag_id": 77, "active": True}),
    ("create_feature_flag", {"name": "n", "key": "new-search"}),
    ("get_insight", {"insight_id": 77}),
    ("get_dashboard", {"dashboard_id": 77}),
]

BATCH = """
    batch(function()
        for i = 1, 3 do
            posthog.capture_event({event = "e", distinct_id = "u" .. i, properties = {n = i}})
        end
    end)
"""


def test_every_function_is_checked() -> None:
    """Ours: a new function has to come here, too."""
    assert {name for name, _ in CALLS} == {*posthog.functions}


@pytest.mark.parametrize("scopes", [["*"], []])
def test_every_exchange_is_as_documented(
    scopes: list[str], call: Call, lua: Lua, recorder: RecordingPostHog
) -> None:
    """PostHog: paths, parameters and bodies of its schemas, in both directions, good and bad."""
    document = Document()
    recorder.state.keys["phx_emulator"]["scopes"] = [*scopes]
    for name, arguments in CALLS:
        try:
            call(name, **arguments)
        except KosmoError as error:
            assert error.code == "service_error"  # noqa: PT017  # some are to fail, at the service
    assert lua(BATCH).error is None
    assert len(recorder.requests) > len(CALLS)
    for request, answer in zip(recorder.requests, recorder.answers, strict=True):
        document.check_request(request)
        document.check_answer(request, answer)


@pytest.mark.parametrize(
    ("method", "path", "key", "content"),
    [
        ("GET", "/api/projects/1/cohorts/", "", b""),
        ("GET", "/api/projects/1/cohorts/", "phx_other", b""),
        ("GET", "/api/projects/2/cohorts/", "phx_emulator", b""),
        ("GET", "/api/projects/3/cohorts/", "phx_emulator", b""),
        ("GET", "/api/projects/1/events/?offset=50001", "phx_emulator", b""),
        ("GET", "/api/projects/1/events/?limit=x", "phx_emulator", b""),
        ("GET", "/api/projects/1/persons/someone/", "phx_emulator", b""),
        ("GET", "/api/users/@me/", "phx_emulator", b""),
        ("POST", "/api/projects/1/feature_flags/", "phx_emulator", b"{"),
        ("POST", "/api/projects/1/feature_flags/", "phx_emulator", b"{}"),
        ("DELETE", "/api/projects/1/feature_flags/2/", "phx_emulator", b""),
        ("POST", "/i/v0/e/", "", b"{"),
        ("POST", "/i/v0/e/", "", b'{"api_key": "phx_emulator", "event": "e", "distinct_id": "u"}'),
        ("POST", "/batch/", "", b'{"api_key": "phc_emulator", "batch": []}'),
    ],
)
def test_every_refusal_is_as_documented(
    method: str, path: str, key: str, content: bytes, posthog_emulator: Emulator
) -> None:
    """PostHog: statuses and bodies of what a client gets wrong."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    url = posthog_emulator.url + path
    answer = httpx.request(method, url, headers=headers, content=content, verify=TLS)
    response = Response(answer.content, answer.status_code, dict(answer.headers))
    Document().check_answer(Sent(method, path), response)


@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("path", ["/api/projects/1/cohorts/", "/i/v0/e/"])
def test_every_fault_is_as_documented(status: int, path: str, posthog_emulator: Emulator) -> None:
    """PostHog: what it answers when it cannot."""
    if path == "/i/v0/e/":
        status = {500: 503}.get(status, status)
    posthog_emulator.fault(status=status)
    method = "POST" if path == "/i/v0/e/" else "GET"
    answer = httpx.request(method, posthog_emulator.url + path, verify=TLS)
    assert answer.status_code == status
    response = Response(answer.content, answer.status_code, dict(answer.headers))
    Document().check_answer(Sent(method, path), response)
