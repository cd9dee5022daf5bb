"""PostHog's emulator with a memory for requests, an account that uses it, and ways to call PostHog."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kosmo_lua import Kosmo, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import KosmoError
from kosmo_lua.values import Json, JsonObject
from kosmo_posthog import posthog
from kosmo_posthog.emulator import PostHogEmulator

Call = Callable[..., Any]
Lua = Callable[[str], Result]

EVENT = "0196f1c2-0000-7000-8000-000000000001"
PERSON = "0196f1c2-0000-7000-8000-000000000101"


class Sent(NamedTuple):
    """A request, whole: a GET has no body, and capture no Authorization header."""

    method: str
    path: str
    authorization: str | None = "Bearer phx_emulator"
    body: Json = None


def get(path: str) -> Sent:
    """Describe a read of the first project."""
    return Sent("GET", f"/api/projects/1/{path}")


def group(percentage: int | None, *properties: JsonObject) -> JsonObject:
    """Describe a condition set of a feature flag."""
    return {"properties": [*properties], "rollout_percentage": percentage}


def _json(body: bytes) -> Json:
    try:
        value: Json = json.loads(body) if body else None
    except ValueError:
        return body.decode()
    return value


class RecordingPostHog(PostHogEmulator):
    """The emulator, with a memory for requests."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = [
            self._remembering(route) for route in self.routes if isinstance(route, Route)
        ]

    def reset(self) -> None:
        """Forget the requests, too."""
        super().reset()
        self.requests: list[Sent] = []
        self.answers: list[Response] = []
        self.agents: set[str | None] = set()
        self.meanwhile: Callable[[], object] | None = None
        """Called before a PATCH is answered."""

    def _remembering(self, route: Route) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            path = str(request.url.replace(scheme="", netloc=""))
            authorization = request.headers.get("authorization")
            self.requests.append(Sent(request.method, path, authorization, _json(body)))
            self.agents.add(request.headers.get("user-agent"))
            if request.method == "PATCH" and self.meanwhile:
                self.meanwhile()
            response: Response = await route.endpoint(request)
            self.answers.append(response)
            return response

        return Route(route.path, endpoint, methods=[*(route.methods or ())])


@pytest.fixture(scope="session")
def _running() -> Iterator[Emulator]:
    """Serve it to all tests of the process."""
    with Emulator({"posthog": f"{__name__}:RecordingPostHog"}) as emulator:
        yield emulator


@pytest.fixture
def posthog_emulator(_running: Emulator) -> Emulator:
    """Give the emulator as new."""
    _running.reset()
    return _running


@pytest.fixture
def recorder(posthog_emulator: Emulator) -> RecordingPostHog:
    """Give the service behind it."""
    found = posthog_emulator.service("posthog")
    assert isinstance(found, RecordingPostHog)
    return found


@pytest.fixture
def account(posthog_emulator: Emulator) -> dict[str, str]:
    """Give the settings of an account that lives there; a test may change them before it calls."""
    budget = {name: value for name, value in os.environ.items() if name == "KOSMO_RETRY_BUDGET"}
    return budget | {
        "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_emulator",
        "KOSMO_POSTHOG_API_TOKEN": "phx_emulator",
        "KOSMO_POSTHOG_PROJECT_ID": "1",
        "KOSMO_POSTHOG_URL": posthog_emulator.url,
        "KOSMO_POSTHOG_WRITE": "allow",
    }


@pytest.fixture
def call(account: dict[str, str]) -> Iterator[Call]:
    """Call a function of PostHog by its short name."""
    with Kosmo(integrations=[posthog], environ=account) as kosmo:

        def call(name: str, /, **arguments: Json) -> Json:
            return kosmo.call(f"posthog.{name}", arguments)

        yield call


@pytest.fixture
def lua(account: dict[str, str]) -> Iterator[Lua]:
    """Run Lua, with the namespace of PostHog as `posthog`."""
    with Kosmo(integrations=[posthog], environ=account) as kosmo:
        yield lambda code: kosmo.run(f"local posthog = app.integrations.posthog\n{code}")


def failure(call: Call, name: str, /, **arguments: Json) -> KosmoError:
    """Return the error of a call that must fail."""
    with pytest.raises(KosmoError) as caught:
        call(name, **arguments)
    return caught.value
