"""The wire against Segment's official schemas: what the adapter asks, and what the emulator answers."""

import json
import ssl
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from conftest import API
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kosmo_lua import Kosmo
from kosmo_lua.emulator import Emulator
from kosmo_segment.emulator import API_TOKEN, WRITE_KEY, SegmentEmulator

TLS = ssl.create_default_context()
"""Unused, but httpx wants one for every request, and making it takes 40 ms."""

SCHEMAS = API / "segment.openapi.json"
pytestmark = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="the schemas of Segment are not part of a clone"
)


class Exchange(NamedTuple):
    """One request and its answer, as they went over the wire."""

    request: Request
    sent: bytes
    response: Response


class Observed(SegmentEmulator):
    """Segment's emulator, which keeps every exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []
        self.routes = [self._observed(route) for route in self.routes if isinstance(route, Route)]

    def _observed(self, route: Route) -> Route:
        async def endpoint(request: Request) -> Response:
            sent = await request.body()
            response: Response = await route.endpoint(request)
            self.exchanges.append(Exchange(request, sent, response))
            return response

        return Route(route.path, endpoint, methods=[*(route.methods or ())])


@pytest.fixture
def observed() -> Iterator[Emulator]:
    """Run the emulator that keeps every exchange."""
    with Emulator({"segment": f"{__name__}:Observed"}) as emulator:
        yield emulator


class Document:
    """Segment's OpenAPI document; a path of the Tracking API stands there without its /v1."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = json.loads(SCHEMAS.read_text(encoding="utf-8"))

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """Return the operation that answers a request."""
        described = path.removeprefix("/v1")
        if described.startswith("/sources/"):
            described = "/sources/{sourceId}"
        operation: dict[str, Any] = self.document["paths"][described][method.lower()]
        return operation

    def validate(self, value: object, schema: dict[str, Any]) -> None:
        """Assert that a value fits a schema of the document."""
        whole = {**schema, "components": self.document["components"]}
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(whole, format_checker=checker).validate(value)

    def check_request(self, exchange: Exchange) -> None:
        """Assert that the request is one that the document allows."""
        request = exchange.request
        operation = self.operation(request.method, request.url.path)
        (scheme,) = (name for choice in operation["security"] for name in choice)
        kind = self.document["components"]["securitySchemes"][scheme]["scheme"]
        assert request.headers["authorization"].lower().startswith(f"{kind} ")
        known = {item["name"]: item["schema"] for item in operation.get("parameters", ())}
        for name, text in request.query_params.items():
            value = int(text) if known[name]["type"] == "integer" else text
            self.validate(value, known[name])
        if exchange.sent:
            assert request.headers["content-type"] == "application/json"
            body = operation["requestBody"]["content"]["application/json"]["schema"]
            self.validate(json.loads(exchange.sent), body)

    def check_answer(self, method: str, path: str, status: int, body: bytes) -> None:
        """Assert that the answer is one that the document promises."""
        content = self.operation(method, path)["responses"][str(status)]["content"]
        self.validate(json.loads(body), content["application/json"]["schema"])


CALLS = """
    local segment = app.integrations.segment
    local traits = {name = "Zoë", plan = json.null, tags = {"a"}, empty = {}, deep = {x = {y = 1.5}}}
    for _, more in ipairs({{}, {traits = {}}, {traits = traits}}) do
        segment.identify({userId = "u", traits = more.traits})
        segment.track({event = "e", userId = "u", properties = more.traits})
        segment.page({name = "n", userId = "u", properties = more.traits})
        segment.group({groupId = "g", userId = "u", traits = more.traits})
    end
    batch(function()
        for _ = 1, 3 do
            segment.track({event = "e", userId = "u", properties = traits})
            segment.identify({userId = "u", traits = traits})
        end
    end)
    segment.get_workspace({slug = "my-workspace"})
    segment.get_current_user({})
    segment.list_sources({slug = "my-workspace"})
    for _ in segment.each_source({slug = "my-workspace"}) do
    end
    for _, id in ipairs({"abc123", "emulatedSource00000002", "emulatedSource00000003"}) do
        segment.get_source({slug = "my-workspace", id = id})
    end
    pcall(segment.get_source, {slug = "my-workspace", id = "nothing"})
    pcall(segment.get_workspace, {slug = "other"})
"""


def test_every_exchange_of_the_adapter_fits_the_schemas(observed: Emulator) -> None:
    """Segment: paths, methods, parameters, bodies and answers of all functions, and of a batch."""
    keys = {"WRITE_KEY": WRITE_KEY, "API_TOKEN": API_TOKEN, "WRITE": "allow"}
    urls = {"TRACKING_URL": observed.url, "API_URL": observed.url}
    environ = {f"KOSMO_SEGMENT_{name}": value for name, value in {**keys, **urls}.items()}
    service = observed.service("segment")
    assert isinstance(service, Observed)
    service.sources *= 150
    assert Kosmo(environ=environ).run(CALLS).error is None
    document = Document()
    asked = set()
    for exchange in service.exchanges:
        request, response = exchange.request, exchange.response
        document.check_request(exchange)
        path, status = request.url.path, response.status_code
        document.check_answer(request.method, path, status, bytes(response.body))
        asked.add((request.method, path, status, *sorted(request.query_params)))
    assert asked == {
        ("POST", "/v1/identify", 200),
        ("POST", "/v1/track", 200),
        ("POST", "/v1/page", 200),
        ("POST", "/v1/group", 200),
        ("POST", "/v1/batch", 200),
        ("GET", "/", 200),
        ("GET", "/sources", 200, "pagination.count"),
        ("GET", "/sources", 200, "pagination.count", "pagination.cursor"),
        ("GET", "/sources/abc123", 200),
        ("GET", "/sources/emulatedSource00000002", 200),
        ("GET", "/sources/emulatedSource00000003", 200),
        ("GET", "/sources/nothing", 404),
    }


def test_every_answer_of_the_emulator_fits_the_schemas(observed: Emulator) -> None:
    """Segment: bodies and statuses of every operation, good and bad, whoever asks."""
    document = Document()
    for method, path, arguments, status in _operations():
        if status >= 429:
            observed.fault(status=status)
        answer = httpx.request(method, f"{observed.url}{path}", verify=TLS, **arguments)
        assert answer.status_code == status, (method, path, answer.text)
        document.check_answer(method, path, status, answer.content)


Operation = tuple[str, str, dict[str, Any], int]


def _operations() -> Iterator[Operation]:
    """Yield requests of every operation with the status of their answer."""
    message = {"userId": "u", "event": "e", "groupId": "g", "type": "track"}
    write_key: dict[str, Any] = {"auth": (WRITE_KEY, "")}
    for kind in ("identify", "track", "page", "group", "batch"):
        path = f"/v1/{kind}"
        yield "POST", path, {**write_key, "json": message | {"batch": [message]}}, 200
        headers = {"Content-Type": "application/json"}
        yield "POST", path, {**write_key, "content": b"{", "headers": headers}, 400
        yield "POST", path, {**write_key, "json": {"name": "x" * 600_000}}, 400
        yield "POST", path, {"json": {}, "auth": ("", "")}, 400
    token = {"headers": {"Authorization": f"Bearer {API_TOKEN}"}}
    for path in ("/", "/sources", "/sources/abc123"):
        yield "GET", path, token, 200
        yield "GET", path, {}, 401
        yield "GET", path, token, 429
        yield "GET", path, token, 500
    for cursor in ("MA==", "MQ==", "Mg=="):
        query = {"pagination.count": "1", "pagination.cursor": cursor}
        yield "GET", "/sources", {**token, "params": query}, 200
    yield "GET", "/sources", {**token, "params": {"pagination.count": "0"}}, 422
    yield "GET", "/sources/nothing", token, 404
    yield "GET", "/sources/" + "x" * 256, token, 422
