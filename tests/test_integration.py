"""The authors' door: what check_integration finds, and what a broken package costs."""

import importlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kosmo_lua import Kosmo
from kosmo_lua.catalog import Catalog
from kosmo_lua.emulator import Emulator
from kosmo_lua.integration import Integration
from kosmo_lua.testing import check_integration
from kosmo_segment import segment
from kosmo_segment.emulator import SegmentEmulator

WEATHER = '''
"""The weather, as an outside package would offer it."""

from kosmo_lua.errors import ServiceError
from kosmo_lua.integration import (
    Api, Credentials, Emulation, Field, Integration, JsonObject, Params, SecretStr, setting
)


class Keys(Credentials):
    """The key of the weather service."""

    api_key: SecretStr | None = setting("The key.")
    url: str = setting("The address.", default="https://weather.example.com")


class Weather(Api[Keys]):
    """The weather service."""

    title = "Weather"

    def get(self, path: str) -> JsonObject:
        """Get a document."""
        body = self.request("GET", f"{self.credentials.url}/{path}")
        if not isinstance(body, dict):
            raise ServiceError("Weather answered with something else")
        return body


weather = Integration(
    "weather", title="Weather", summary="What it is like.", credentials=Keys, api=Weather,
    emulation=EMULATION
)


class Place(Params):
    """Where."""

    city: str = Field(description="The city.", examples=["Oslo"])
    days: int | None = Field(None, description="How many days.", examples=[3])


@weather.read("forecast", credential="api_key")
def get_forecast(api: Weather, place: Place) -> JsonObject:
    """Get the forecast for a city.

    Returns: `{days = {...}}`.

    ```lua
    local forecast = app.integrations.weather.get_forecast({city = "Oslo"})
    print(forecast.days)
    ```
    """
    return api.get(place.city)


@weather.write(credential="api_key")
def report(api: Weather, place: Place) -> JsonObject:
    """Report what it is like.

    Returns: `{success = true}`.

    ```lua
    app.integrations.weather.report({city = "Oslo"})
    ```
    """
    api.request("POST", f"{api.credentials.url}/{place.city}")
    return {"success": True}


@weather.check("api_key")
def check_key(api: Weather) -> str:
    """Ask for a city."""
    api.get("Bergen")
    return "gets forecasts."
'''

EMULATOR = '''
"""The weather service in memory."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kosmo_lua.emulator import EmulatedService


class WeatherEmulator(EmulatedService):
    """It never rains."""

    def __init__(self) -> None:
        self.routes = [Route("/{city}", self.answer, methods=["GET", "POST"])]

    async def answer(self, request: Request) -> Response:
        """Answer anything."""
        return JSONResponse({"days": 3})

    def events(self):
        """Nothing is kept."""
        return []

    def reset(self) -> None:
        """Nothing was kept."""
'''
EMULATION = (
    'Emulation("kosmo_weather.emulator:WeatherEmulator", {"api_key": "emulator-key"}, ("url",))'
)

Import = Callable[..., Integration[Any]]


def forget(package: str) -> None:
    """Let the next import load the package anew: there is another kosmo_weather, in examples/."""
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{package}.")]:
        del sys.modules[name]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Import]:
    """Write the package kosmo_weather from its source, and import its integration."""

    def package(source: str, emulator: str | None = None) -> Integration[Any]:
        folder = tmp_path / "kosmo_weather"
        folder.mkdir()
        emulation = EMULATION if emulator else "None"
        folder.joinpath("__init__.py").write_text(source.replace("EMULATION", emulation))
        if emulator:
            folder.joinpath("emulator.py").write_text(emulator)
        monkeypatch.syspath_prepend(tmp_path)
        forget("kosmo_weather")
        integration: Integration[Any] = importlib.import_module("kosmo_weather").weather
        return integration

    yield package
    forget("kosmo_weather")


def problems(integration: Integration[Any], **settings: str) -> list[str]:
    """Check an integration and return what is to be mended."""
    try:
        check_integration(integration, settings=settings)
    except AssertionError as error:
        title, *lines = str(error).splitlines()
        assert title == f"the integration {integration.name}:"
        return [line.removeprefix("- ") for line in lines]
    return []


def changed(text: str, changes: dict[str, str]) -> str:
    """Replace texts that must be there, each where it stands first."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_segment_passes() -> None:
    """Ours: our own integration goes through the same door."""
    check_integration(segment)


def test_an_outside_integration_passes(package: Import) -> None:
    """Ours: one module is enough."""
    assert problems(package(WEATHER)) == []


DELIVERING = {
    "import (": "import (\n    BatchLimits,\n    Each,\n    Event,\n    Rows,\n    encode,",
    'title = "Weather"\n': """title = "Weather"
    batches = BatchLimits(1000, 10, 100)

    def deliver(self, event: Event) -> None:
        \"\"\"Send one.\"\"\"
        self.deliver_batch([event.content])

    def deliver_batch(self, events) -> None:
        \"\"\"Send several.\"\"\"
        self.request("POST", f"{self.credentials.url}/reports", content=b"".join(events))
""",
    '@weather.read("forecast", credential="api_key")': """def pages(read, api: Weather, place: Place):
    \"\"\"There is one.\"\"\"
    yield Rows([read(api, place)], more=False)


@weather.read(
    "forecast", credential="api_key", each=Each("each_forecast", pages, example='{city = "Oslo"}')
)""",
    "def report(api: Weather, place: Place) -> JsonObject": "def report(api: Weather, place: Place) -> Event",
    """    api.request("POST", f"{api.credentials.url}/{place.city}")
    return {"success": True}
""": """    report_id = api.new_id()
    content = encode({"id": report_id, "city": place.city})
    return Event(content, id={"report_id": report_id}, answer={"success": True})
""",
}
"""What makes of WEATHER an integration with an iterator, and with events that go out in batches."""


def test_an_outside_integration_with_events_and_pages_passes(package: Import) -> None:
    """Ours: what kosmo's own integrations can do others can."""
    assert problems(package(changed(WEATHER, DELIVERING), EMULATOR)) == []


FAULTY_EVENTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "client": (
        {
            "    batches = BatchLimits(1000, 10, 100)\n": "",
            "def deliver_batch(self": "def send_all(self",
            "self.deliver_batch(": "self.send_all(",
        },
        [
            "Weather needs deliver and deliver_batch: its functions return an Event",
            "Weather needs batches = BatchLimits(...): its functions return an Event",
        ],
    ),
    "secrets": (
        {
            '"city": place.city})': '"key": api.credentials.api_key.get_secret_value()})',
            'id={"report_id": report_id}': "id={}",
        },
        [
            "report puts a secret into its event: add it in deliver and deliver_batch",
            'report: the id of its Event must name it, such as {"message_id": "..."}',
        ],
    ),
    "content": (
        {'content = encode({"id": report_id, "city": place.city})': 'content = b"[1]"'},
        ["report: the content of its Event must be a JSON object"],
    ),
    "error": (
        {"report_id = api.new_id()": 'raise ServiceError("no")'},
        ["report cannot make its event: no"],
    ),
    "defect": (
        {"report_id = api.new_id()": "raise LookupError"},
        ["report cannot make its event: LookupError"],
    ),
    "iterator": (
        {"    yield Rows(": '    api.request("DELETE", api.credentials.url)\n    yield Rows('},
        ["each_forecast is a read and sends DELETE: its pages may only read"],
    ),
}
"""The same for the integration with events and pages."""


@pytest.mark.parametrize("group", FAULTY_EVENTS)
def test_the_faults_of_events_and_pages_are_found(group: str, package: Import) -> None:
    """Ours: each says where, and how to mend it."""
    changes, found = FAULTY_EVENTS[group]
    assert problems(package(changed(changed(WEATHER, DELIVERING), changes))) == found


def test_an_outside_integration_with_an_emulator_passes(package: Import) -> None:
    """Ours: its examples then run on its emulator."""
    assert problems(package(WEATHER, EMULATOR)) == []


LUA_NAME = "cannot be written in Lua: use letters, digits and _, and no Lua keyword"
DOOR = "only kosmo_lua.integration, kosmo_lua.errors are for integrations"
FAULTY: dict[str, tuple[dict[str, str], list[str]]] = {
    "docs": (
        {
            "for a city.\n": "for a city\n",
            "print(forecast.days)": "print(forecast.days",
            WEATHER[WEATHER.index('"""Report') : WEATHER.index('api.request("POST"')]: "",
        },
        [
            "get_forecast: the summary must be one sentence of at most 80 characters",
            "report has no docstring: its first line is the summary in the docs",
            "report: the docstring needs a paragraph `Returns: ...`",
            "report: the docstring needs an example, fenced as ```lua",
            "get_forecast: the example is not valid Lua: example:2: ')' expected near <eof>",
        ],
    ),
    "names": (
        {
            '"forecast"': '"get-forecast"',
            "@weather.write(": '@weather.write("default", "get_forecast", ',
            "days: int": "end: int",
        },
        [
            f"the function's name get-forecast {LUA_NAME}",
            f"get_forecast: the parameter end {LUA_NAME}",
            "the function's name default is that of the default account: choose another",
            f"report: the parameter end {LUA_NAME}",
            "get_forecast means both get_forecast and report: rename one",
            "weather_get_forecast means both get_forecast and report: rename one",
        ],
    ),
    "parameters": (
        {
            "Report what it is like.": f"Report {'very ' * 15}well.",
            'description="How many days.", ': "",
            'examples=["Oslo"]': 'examples=[5], json_schema_extra={"type": "city"}',
            '"""Where."""': '"""Where."""\n\n    model_config = {"extra": "ignore"}',
            "api=Weather,": "api=Weather, guide=None,",
        },
        [
            "report: the summary must be one sentence of at most 80 characters",
            "get_forecast: the parameter days needs Field(description=...)",
            "report: the parameter days needs Field(description=...)",
            "get_forecast takes parameters that it does not know: derive its models from Params",
            "report takes parameters that it does not know: derive its models from Params",
            (
                "get_forecast: Field(examples=[...]) must give valid arguments: "
                'city must be a string, got the number 5 (write city = "5")'
            ),
            (
                "report: Field(examples=[...]) must give valid arguments: "
                'city must be a string, got the number 5 (write city = "5")'
            ),
            (
                "get_forecast: its JSON Schema is not valid: "
                "'city' is not valid under any of the given schemas"
            ),
            (
                "report: its JSON Schema is not valid: "
                "'city' is not valid under any of the given schemas"
            ),
            (
                "the page weather cannot be written: TypeError: "
                "sequence item 22: expected str instance, NoneType found"
            ),
        ],
    ),
    "settings": (
        {
            'setting("The address.", default="https://weather.example.com")': "None",
            "    url: str": '    access_token: str = setting("Another.")\n    url: str',
            'write(credential="api_key")': 'write(credential="key")',
            "EMULATION": 'Emulation("kosmo_weather:Nothing", {"api_kye": "x"}, ("address",))',
        },
        [
            "the page report cannot be written: KeyError: 'key'",
            "the setting access_token must be a SecretStr",
            "the setting url needs a description: setting(...)",
            "the emulation has api_kye, which is no setting",
            "the emulation has address, which is no setting",
            "report: credential='key' is no setting",
            "the setting access_token does not accept its own default: Input should be a valid string",
            "the setting url does not accept its own default: Input should be a valid string",
            "made-up credentials are refused: pass check_integration(..., settings={...})",
            (
                "The emulator of weather cannot be loaded from 'kosmo_weather:Nothing': "
                "module 'kosmo_weather' has no attribute 'Nothing'."
            ),
        ],
    ),
    "secrets": (
        {
            '    """The key of the weather service."""': '    """The key."""\n\n'
            "    def __repr__(self):\n        return self.api_key.get_secret_value()",
            'title = "Weather"': 'title = "Weather"\n\n    def __repr__(self):\n'
            "        return repr(self.credentials)",
            "    return api.get(place.city)": '    if repr(api)[:3] != "wk_":\n'
            '        raise ServiceError(f"bad key {api!r}")\n    return api.get(place.city)',
            'return {"success": True}': 'return {"key": repr(api)}',
        },
        [
            "the repr of the credentials shows a secret: make it a SecretStr",
            "the repr of the Api shows a secret",
            "get_forecast shows a secret in an error or in its result",
            "report shows a secret in an error or in its result",
        ],
    ),
    "checks": (
        {
            'setting("The key.")': 'setting("The key.", unchecked="No request tells.")',
            "    url: str": '    api_token: SecretStr | None = setting("Another.")\n    url: str',
            '@weather.check("api_key")': '@weather.check("url")\n@weather.check("api_key")',
            'api.get("Bergen")': 'api.request("PUT", api.credentials.url)',
        },
        [
            "@weather.check('url') is for no secret setting",
            (
                "the setting api_key needs either a function under @weather.check('api_key'), or "
                "setting(..., unchecked=...) that says why there is none"
            ),
            (
                "the setting api_token needs either a function under @weather.check('api_token'), or "
                "setting(..., unchecked=...) that says why there is none"
            ),
            "a check of credentials sends PUT: it must change nothing",
        ],
    ),
    "sources": (
        {
            "\nweather = ": "\nimport socket\ntry:\n"
            '    socket.create_connection(("127.0.0.1", 9), 1)\n'
            "except OSError:\n    pass\n\nweather = ",
            "@weather.write(": "def stop(api: Weather) -> None: ...\n\n\n@weather.write(",
            "return api.get(place.city)": 'return api.request("DELETE", api.credentials.url)',
            "from kosmo_lua.errors import ServiceError": "from kosmo_lua.errors import ServiceError\n"
            "from kosmo_lua.http import Exchange\nfrom kosmo_lua import Kosmo\nimport kosmo_lua",
        },
        [
            "get_forecast is a read and sends DELETE: declare it with .write()",
            "stop is not declared: put @weather.read() or @weather.write() on it",
            "kosmo_weather uses the network when it is imported: do that in a function",
            f"kosmo_weather imports kosmo_lua.http.Exchange: {DOOR}",
            f"kosmo_weather imports kosmo_lua.Kosmo: {DOOR}",
            f"kosmo_weather imports kosmo_lua: {DOOR}",
        ],
    ),
    "import": (
        {"\nweather = ": "\nimport sys\nsys.modules['pytest']\n\nweather = "},
        ["kosmo_weather cannot be imported on its own: KeyError: 'pytest'"],
    ),
}
"""Texts of WEATHER and what stands there instead, and what is to be mended then."""


@pytest.mark.parametrize("group", FAULTY)
def test_the_faults_of_an_integration_are_found(group: str, package: Import) -> None:
    """Ours: all of them at once and nothing else; each says where, and how to mend it."""
    changes, found = FAULTY[group]
    assert problems(package(changed(WEATHER, changes))) == found


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("@weather.write(", "@weather.write  # (", "write the decorator with its parentheses: "),
        ("place: Place)", "place)", "get_forecast must take the Api and one model derived from"),
        ("place: Place)", "city: str)", "get_forecast must take the Api and one model derived "),
        ("place: Place)", "place: Place, days: int)", "get_forecast must take the Api and one "),
        ("api: Weather, place: Place)", ")", "get_forecast must take the Api and one model "),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(
    old: str, new: str, reason: str, package: Import
) -> None:
    """Ours: at import, so that it costs only its own package and is not met in a later call."""
    with pytest.raises(TypeError, match=re.escape(reason)):
        package(changed(WEATHER, {old: new}))


EMULATOR_DOOR = (
    "only kosmo_lua.integration, kosmo_lua.errors, kosmo_lua.emulator are for integrations"
)
ROUTING = "from starlette.routing import Route"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            ROUTING,
            (
                f"{ROUTING}\nfrom kosmo_weather import Place\nfrom . import Keys, emulator\n"
                "from kosmo_lua.calls import Calls"
            ),
            [
                f"kosmo_weather.emulator imports kosmo_lua.calls.Calls: {EMULATOR_DOOR}",
                (
                    "kosmo_weather.emulator imports kosmo_weather.Place: "
                    "an emulator shares nothing with its adapter"
                ),
                (
                    "kosmo_weather.emulator imports kosmo_weather.Keys: "
                    "an emulator shares nothing with its adapter"
                ),
            ],
        ),
        (
            '"GET", "POST"',
            '"GET"',
            [
                (
                    "report: the example fails on the emulator: "
                    "example:1: weather.report: Weather answered 405: Method Not Allowed"
                ),
            ],
        ),
    ],
)
def test_the_faults_of_an_emulator_are_found(
    old: str, new: str, found: list[str], package: Import
) -> None:
    """Ours: an emulator is a witness of its own, and serves what the docs show."""
    assert problems(package(WEATHER, changed(EMULATOR, {old: new}))) == found


def test_a_read_that_writes_in_the_end_is_found_on_the_emulator(package: Import) -> None:
    """Ours: every request of a read is looked at, not the first one only."""
    write = 'found = api.get(place.city)\n    api.request("POST", f"{api.credentials.url}/x")\n'
    source = changed(WEATHER, {"return api.get(place.city)": f"{write}    return found"})
    assert problems(package(source, EMULATOR)) == [
        "get_forecast is a read and sends POST: declare it with .write()"
    ]


def test_a_check_that_fails_on_the_emulator_is_found(package: Import) -> None:
    """Ours: the emulator knows the request of the check, too."""
    source = changed(WEATHER, {'api.get("Bergen")': 'api.get("no/such/path")'})
    assert problems(package(source, EMULATOR)) == [
        (
            "the check of api_key fails on the emulator: "
            "weather.check_key: Weather answered 404: Not Found"
        )
    ]


def test_keys_that_have_a_form_are_given_to_the_check(package: Import) -> None:
    """Ours: where a made-up key will not do, the author passes one; no error may show a wrong one."""
    validator = """
    @field_validator("api_key")
    @classmethod
    def has_form(cls, key):
        if not key.get_secret_value().startswith("wk_"):
            raise ValueError(f"{key.get_secret_value()} is no key")
        return key

class Weather"""
    changes = {
        "\nclass Weather": validator,
        "\nfrom": "\nfrom pydantic import field_validator\nfrom",
    }
    integration = package(changed(WEATHER, changes))
    assert problems(integration) == [
        "the error of wrong credentials shows a secret: leave values out of its message",
        "made-up credentials are refused: pass check_integration(..., settings={...})",
    ]
    assert problems(integration, api_key="wk_0123456789") == []


# Installed packages

WALK = """
local counted = {}
for name, integration in pairs(app.integrations) do
  local members = 0
  for _ in pairs(integration) do members = members + 1 end
  counted[#counted + 1] = name .. " " .. members
end
return counted
"""


@pytest.fixture
def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, str], None]]:
    """Install a package that offers an integration, as pip would leave it."""
    monkeypatch.syspath_prepend(tmp_path)
    installed = list[str]()

    def install(name: str, source: str, value: str) -> None:
        forget(f"kosmo_{name}")
        installed.append(f"kosmo_{name}")
        tmp_path.joinpath(f"kosmo_{name}.py").write_text(source)
        facts = tmp_path / f"kosmo_{name}-1.0.dist-info"
        facts.mkdir()
        facts.joinpath("METADATA").write_text(f"Name: kosmo-{name}\nVersion: 1.0\n")
        facts.joinpath("entry_points.txt").write_text(f"[kosmo.integrations]\n{name} = {value}\n")

    yield install
    for name in installed:
        forget(name)


def test_an_installed_package_is_offered(install: Callable[[str, str, str], None]) -> None:
    """Ours: an entry point is all that it takes."""
    install("weather", changed(WEATHER, {"EMULATION": "None"}), "kosmo_weather:weather")
    with Kosmo(environ={}) as kosmo:
        assert [*kosmo.catalog.integrations] == ["posthog", "segment", "weather"]
        assert kosmo.catalog.problems == []
        assert "weather.get_forecast" in str(kosmo.run("return docs.list()").result)


def test_a_package_that_is_found_twice_is_one(
    install: Callable[[str, str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: an editable install whose folder is on Python's path as well."""
    install("weather", changed(WEATHER, {"EMULATION": "None"}), "kosmo_weather:weather")
    again = shutil.copytree(tmp_path, tmp_path / "again")
    monkeypatch.syspath_prepend(again)
    with Kosmo(environ={}) as kosmo:
        assert [*kosmo.catalog.integrations] == ["posthog", "segment", "weather"]
        assert kosmo.catalog.problems == []


def test_a_package_that_is_hidden_by_another_version_offers_nothing(
    install: Callable[[str, str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: an environment before the user's own packages, or a checkout before an old build."""
    install("weather", WEATHER, "kosmo_weather:weather")
    facts = tmp_path / "newer" / "kosmo_weather-2.0.dist-info"
    facts.mkdir(parents=True)
    facts.joinpath("METADATA").write_text("Name: kosmo-weather\nVersion: 2.0\n")
    monkeypatch.syspath_prepend(facts.parent)
    with Kosmo(environ={}) as kosmo:
        assert [*kosmo.catalog.integrations] == ["posthog", "segment"]


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        (
            "import no_such_module",
            "kosmo_broken:it",
            "ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            "it = (",
            "kosmo_broken:it",
            "SyntaxError: '(' was never closed (kosmo_broken.py, line 1)",
        ),
        ("", "kosmo_broken:it", "AttributeError: module 'kosmo_broken' has no attribute 'it'"),
        ("raise SystemExit(3)", "kosmo_broken:it", "SystemExit: 3"),
        ("it = 'segment'", "kosmo_broken:it", "TypeError: kosmo_broken:it is not an Integration"),
        ("", "kosmo_absent:it", "ModuleNotFoundError: No module named 'kosmo_absent'"),
    ],
)
def test_a_broken_package_costs_only_itself(
    source: str, value: str, reason: str, install: Callable[[str, str, str], None]
) -> None:
    """Ours: the rest works, and every run that wants it, or all of them, says why it is absent."""
    install("broken", source, value)
    warning = f"integration broken cannot be loaded: {reason}"
    with Kosmo(environ={}, emulator=True) as kosmo:
        read = kosmo.run("return docs.list()")
        missed = kosmo.run("return app.integrations.broken.anything()")
        called = kosmo.run("return app.integrations.segment.get_current_user().slug")
        untouched = kosmo.run("return 1")
        walked = kosmo.run(WALK)
    assert (called.success, called.result, called.warnings) == (True, "my-workspace", ())
    assert (read.success, read.warnings) == (True, (warning,))
    assert missed.error_info
    assert (missed.error_info.code, missed.warnings) == ("unknown_integration", (warning,))
    assert untouched.warnings == ()
    assert (walked.result, walked.warnings) == (
        ["broken 1", "posthog 22", "segment 10"],
        (warning,),
    )


@pytest.mark.parametrize("text", [b"\xff\xfe", b"[kosmo.integrations]\nweather\n"])
def test_a_package_with_a_broken_list_of_entry_points_costs_only_itself(
    text: bytes, install: Callable[[str, str, str], None], tmp_path: Path
) -> None:
    """Ours: the file may be of a package that has nothing to do with kosmo."""
    install("weather", WEATHER, "kosmo_weather:weather")
    tmp_path.joinpath("kosmo_weather-1.0.dist-info", "entry_points.txt").write_bytes(text)
    with Kosmo(environ={}, emulator=True) as kosmo:
        called = kosmo.run("return app.integrations.segment.get_current_user().slug")
        listed = kosmo.run("return docs.list()")
    kind = "UnicodeDecodeError" if text.startswith(b"\xff") else "TypeError"
    reason = f"its entry_points.txt cannot be read ({kind}); install it again"
    assert (called.result, called.warnings) == ("my-workspace", ())
    assert (listed.success, listed.warnings) == (True, (f"package kosmo-weather: {reason}",))


def test_an_entry_point_has_the_name_of_its_integration(
    install: Callable[[str, str, str], None],
) -> None:
    """Ours: a script finds an integration by that name alone, so that no other one is loaded for it."""
    install("sunshine", changed(WEATHER, {"EMULATION": "None"}), "kosmo_sunshine:weather")
    problem = "integration kosmo_sunshine:weather is named weather, and its entry point sunshine"
    with Kosmo(environ={}) as kosmo:
        missed = kosmo.run("return app.integrations.weather.get_forecast()")
        assert missed.error_info
        assert missed.error_info.code == "unknown_integration"
        assert kosmo.run("return docs.list()").warnings == (problem,)


def test_a_name_that_is_taken_is_left_out(install: Callable[[str, str, str], None]) -> None:
    """Ours: which of two integrations answers to a name is not left to chance in silence."""
    source = "import dataclasses, kosmo_segment\nit = dataclasses.replace(kosmo_segment.segment)"
    install("zzz", source, "kosmo_zzz:it")
    catalog = Catalog.installed()
    assert catalog.integrations["segment"] is segment
    assert catalog.problems == ["integration kosmo_zzz:it has the name of another one"]


# The fixture for tests of workflows


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_has_a_fresh_emulator(turn: str, kosmo_emulator: Emulator) -> None:
    """Ours: events, faults and changed data of one test do not reach the next."""
    with Kosmo() as kosmo:
        workspace = kosmo.call("segment.get_current_user")
        assert isinstance(workspace, dict)
        assert (workspace["name"], kosmo_emulator.events()) == ("My Workspace", [])
        kosmo.call("segment.identify", {"userId": turn})
    service = kosmo_emulator.service("segment")
    assert isinstance(service, SegmentEmulator)
    service.workspace["name"] = "Changed"
    kosmo_emulator.fault(status=503, times=9)
    assert len(kosmo_emulator.events("segment")) == 1
