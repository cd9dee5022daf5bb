"""examples/kosmo-weather: a package of a stranger's, installed by pip, works like our own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT, Finished

from kosmo_lua.integration import JsonObject

PACKAGE = ROOT / "examples" / "kosmo-weather"
CURRENT: JsonObject = {
    "time": "2026-07-01T14:15",
    "interval": 900,
    "temperature_2m": 21.5,
    "wind_speed_10m": 7.9,
}
DAILY: JsonObject = {
    "time": ["2026-07-01", "2026-07-02"],
    "temperature_2m_min": [14.0, 15.2],
    "temperature_2m_max": [22.1, None],
}

Command = Callable[..., Finished]


class Service(HTTPServer):
    """A weather service on loopback: what it was asked, and what it answers before the good weather."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.answers: list[tuple[int, JsonObject]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Service)
        url = urlsplit(self.path)
        self.server.asked.append((url.path, parse_qs(url.query)))
        good: JsonObject = {"current": CURRENT, "daily": DAILY}
        status, body = self.server.answers.pop(0) if self.server.answers else (200, good)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve the weather."""
    with Service() as service:
        thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package as pip does, from a copy, into a folder of its own."""
    folder = tmp_path_factory.mktemp("outside")
    source, target = folder / "source", folder / "site-packages"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline]
    subprocess.run([*command, "--target", target, source], check=True)  # noqa: S603  # our own package
    return target


@pytest.fixture
def weather(installed: Path, service: Service, kosmo: Command) -> Command:
    """Run Lua code where the package is installed, and return the command's outcome."""

    def weather(code: str, *options: str, beside: Path | None = None) -> Finished:
        folders = [str(folder) for folder in (installed, beside) if folder]
        env = {"PYTHONPATH": os.pathsep.join(folders), "KOSMO_WEATHER_URL": service.url}
        return kosmo("integrations:lua", "--eval", code, "--json", *options, env=env)

    return weather


def test_its_own_test_passes(installed: Path, tmp_path: Path) -> None:
    """Ours: what an author runs before publishing."""
    test = shutil.copy(PACKAGE / "test_weather.py", tmp_path)  # away from the source of the module
    done = subprocess.run(  # noqa: S603  # our own test
        [sys.executable, "-m", "pytest", "-q", test],
        env={
            **os.environ,
            "PYTHONPATH": str(installed),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # ours take longer than the test
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_workflow_calls_it(weather: Command, service: Service) -> None:
    """Ours: by name and by position; the request is the one that the service documents."""
    envelope = weather("""
        local weather = app.integrations.weather
        return {
            weather.get_current(52.52, 13.41),
            weather.forecast({latitude = -33, longitude = 151.21, forecast_days = 2}),
        }
    """).json()
    assert (envelope["error"], envelope["result"]) == (None, [CURRENT, DAILY])
    assert envelope["warnings"] == []
    current = {"current": ["temperature_2m,wind_speed_10m"], "timezone": ["auto"]}
    daily = {"daily": ["temperature_2m_min,temperature_2m_max"], "timezone": ["auto"]}
    place = {"latitude": ["-33.0"], "longitude": ["151.21"], "forecast_days": ["2"]}
    assert service.asked == [
        ("/v1/forecast", {"latitude": ["52.52"], "longitude": ["13.41"], **current}),
        ("/v1/forecast", {**place, **daily}),
    ]


def test_its_wrong_arguments_are_refused(weather: Command, service: Service) -> None:
    """Ours: the model is enough for that, and nothing is sent."""
    finished = weather("app.integrations.weather.get_current({latitude = 91, longitude = 13})")
    assert finished.status == 65
    assert finished.json()["error"] == (
        "eval:1: weather.get_current: latitude should be less than or equal to 90, "
        "got the number 91 (for example latitude = 52.52)"
    )
    assert service.asked == []


def test_its_service_s_errors_are_told_in_its_words(weather: Command, service: Service) -> None:
    """Ours: `explain` finds them; the code and the rest are the core's."""
    service.answers = [
        (400, {"error": True, "reason": "No such place"}),
        (429, {"error": True, "reason": "Too many"}),
        (200, {"hourly": {}}),
    ]
    errors = weather("""
        local errors = {}
        for i = 1, 3 do
            local _, error = pcall(app.integrations.weather.get_current, 52.52, 13.41)
            errors[i] = {error.code, error.message}
        end
        return errors
    """).json()["result"]
    said = "weather.get_current: Open-Meteo answered"
    assert errors == [
        ["service_error", f"{said} 400: No such place"],
        ["rate_limited", f"{said} 429: Too many"],
        ["service_error", f"{said} without the part current"],
    ]


def test_its_pages_are_in_the_docs(weather: Command) -> None:
    """Ours: made from the declaration alone."""
    lists, page, function = weather(
        'return {docs.list(), docs.read("weather"), docs.read("weather.current")}'
    ).json()["result"]
    assert "- `weather`: The weather now and in the days ahead, anywhere" in lists
    assert "- `weather.get_forecast` (read): Get the lowest and the highest" in lists
    assert "| `url` | `KOSMO_WEATHER_URL` | Address of the API. |" in page
    assert "| `latitude` | number | yes | Degrees north. |  |" in function
    assert "Source: https://open-meteo.com/en/docs" in function


def test_it_stands_beside_the_emulators_of_others(weather: Command, service: Service) -> None:
    """Ours: an emulator is optional; without one a call says so and asks nobody."""
    envelope = weather(
        """
        local workspace = app.integrations.segment.get_current_user()
        return {workspace.slug, pcall(app.integrations.weather.get_current, 52.52, 13.41)}
        """,
        "--emulator",
    ).json()
    slug, called, error = envelope["result"]
    assert (slug, called, error["code"]) == ("my-workspace", False, "config_error")
    assert error["message"] == "weather.get_current: Weather has no emulator"
    assert service.asked == []


def test_a_broken_package_beside_it_costs_only_itself(weather: Command, tmp_path: Path) -> None:
    """Ours: the envelope has a warning, and the rest works."""
    tmp_path.joinpath("kosmo_broken.py").write_text("import no_such_module\n")
    facts = tmp_path / "kosmo_broken-1.0.dist-info"
    facts.mkdir()
    facts.joinpath("METADATA").write_text("Name: kosmo-broken\nVersion: 1.0\n")
    facts.joinpath("entry_points.txt").write_text("[kosmo.integrations]\nbroken = kosmo_broken:it")
    finished = weather(
        "return {docs.list(), app.integrations.weather.get_current(52.52, 13.41)}",
        beside=tmp_path,
    )
    envelope = finished.json()
    assert (finished.status, envelope["error"]) == (0, None)
    assert ("`weather`" in envelope["result"][0], envelope["result"][1]) == (True, CURRENT)
    assert "broken" not in envelope["result"][0]
    assert envelope["warnings"] == [
        "integration broken cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
    ]
