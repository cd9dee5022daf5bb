"""A canary: a secret that is planted in every source of credentials, and may be seen nowhere."""

import json
import logging
import os
import textwrap
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import keyring
import pytest
from conftest import Finished
from keyring.core import load_keyring

from kosmo_lua import Kosmo, KosmoError
from kosmo_lua.accounts import Accounts
from kosmo_lua.catalog import Catalog
from kosmo_lua.config import Config
from kosmo_lua.policy import Policy
from kosmo_segment import segment

CANARY = "canary-4f1d-9c27-secret"

KEYRING = f"""
from keyring.backend import KeyringBackend

class Canary(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return "{CANARY}"

    def set_password(self, service, username, password):
        pass

    def delete_password(self, service, username):
        raise RuntimeError("{CANARY}")
"""

SOURCES: dict[str, tuple[dict[str, str], str | None]] = {
    "KOSMO_ variable": ({"KOSMO_SEGMENT_WRITE_KEY": CANARY}, None),
    "vendor variable": ({"SEGMENT_WRITE_KEY": CANARY}, None),
    "credentials.toml": ({}, CANARY),
    "cmd:": ({}, f"cmd:echo {CANARY}"),
    "keyring": ({}, "keyring:"),
}
"""Each source: the environment, and what credentials.toml says."""

TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'


class _Echo(BaseHTTPRequestHandler):
    """A service that answers with the key it was given, plain and as it came."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = {"message": f"bad key {CANARY}", "you": self.headers["Authorization"]}
        answer = json.dumps({**said, "sent": body.decode()}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815  # as http.server names them

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its signature
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """Serve it; return its address."""
    server = HTTPServer(("127.0.0.1", 0), _Echo)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=SOURCES)
def planted(
    request: pytest.FixtureRequest, tmp_path: Path, service: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Plant the canary in one source; return the user's folder."""
    environ, stored = SOURCES[request.param]
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("KOSMO_HOME", str(home))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings = f'[segment.default]\ntracking_url = "{service}"\napi_url = "{service}"\n'
    settings += f'write_key = "{stored}"\n' if stored else ""
    (home / "credentials.toml").write_text(settings)
    (home / "credentials.toml").chmod(0o600)
    (tmp_path / "canary_keyring.py").write_text(KEYRING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "canary_keyring.Canary")
    return home


@pytest.fixture
def in_process(planted: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use the keyring of the commands in this process, too."""
    monkeypatch.syspath_prepend(planted.parent)
    previous = keyring.get_keyring()
    keyring.set_keyring(load_keyring("canary_keyring.Canary"))
    yield
    keyring.set_keyring(previous)


@pytest.fixture
def kosmo(
    here: Callable[..., Finished],
    in_process: None,
) -> Callable[..., Finished]:
    """Run the commands in this process: there are many."""
    del in_process
    return here


COMMANDS = [
    ["integrations:list"],
    ["integrations:docs", "segment"],
    ["accounts:list"],
    ["accounts:show", "segment"],
    ["accounts:add", "segment", "work", "--keyring", "--set", f"write_key={CANARY}"],
    ["accounts:add", "segment", "work", "--set", CANARY],
    ["accounts:add", "segment", "work", CANARY],
    ["accounts:add", "segment", "work", f"--write-key={CANARY}"],
    ["config:explain", "segment.write_key"],
    ["integrations:configure", "segment", "--set", f"region={CANARY}"],
    ["integrations:configure", "segment", "--set", f"write_key={CANARY}\n{CANARY}"],
    ["integrations:configure", "segment", "--set", f"tracking_url=http://{CANARY}@a.example"],
    ["integrations:call", "segment.track", "--event", "E", "--user-id", "u", "--force"],
    ["integrations:call", "segment.track", "--event", "E", "--user-id", "u", "--dry-run"],
    ["integrations:lua", "--force", "--eval", TRACK],
    [
        "integrations:lua",
        "--force",
        "--eval",
        f"local ok, e = pcall(function() {TRACK} end) dump(e)",
    ],
    ["integrations:lua", "--force", "--eval", "return app.integrations.segment.list_sources()"],
    ["audit"],
    ["accounts:remove", "segment", "default"],
]


def test_no_command_shows_it(
    request: pytest.FixtureRequest, planted: Path, kosmo: Callable[..., Finished]
) -> None:
    """The card: all output of all commands, as text and as JSON, whatever fails; and the audit log.

    In turn: what one source sees as text, the next one sees as JSON.
    """
    first = [*SOURCES].index(request.node.callspec.params["planted"])
    for index, command in enumerate(COMMANDS, first):
        done = kosmo(*command, *(["--json"] if index % 2 else []))
        assert CANARY not in done.stdout + done.stderr, command
    log = (planted / "audit.jsonl").read_text()
    assert CANARY not in log
    calls = [json.loads(line) for line in log.splitlines()]
    assert [call["status"] for call in calls] == [400] * 3 + [None]


def test_github_is_told_to_mask_it_once(planted: Path, kosmo: Callable[..., Finished]) -> None:
    """The card: `::add-mask::` on stderr is the one line that may hold it."""
    del planted
    env = {"GITHUB_ACTIONS": "true"}
    done = kosmo(
        "integrations:lua",
        "--force",
        "--json",
        "--eval",
        f"pcall(function() {TRACK} end)",
        env=env,
    )
    assert done.stderr == f"::add-mask::{CANARY}\n"
    assert CANARY not in done.stdout


def test_debug_log_of_the_http_client_does_not_show_it(
    in_process: None,
    service: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The card: logs at DEBUG, of a request that was sent; by way of a proxy, for only there httpx logs."""
    del in_process
    monkeypatch.setenv("http_proxy", service)
    with caplog.at_level(logging.DEBUG), Kosmo(force=True) as kosmo, pytest.raises(KosmoError):
        kosmo.call("segment.track", {"event": "E", "userId": "u"})
    assert [record.name for record in caplog.records if record.name.startswith("http")] != []
    assert CANARY not in caplog.text


def test_traceback_with_variables_does_not_show_it(
    in_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card: tracebacks with locals, as error trackers record them; and `repr` of everything."""
    del in_process
    config = Config.of(os.environ)
    with Kosmo(force=True) as kosmo:
        for region in (
            "us",
            "mars",
        ):  # an answer of the service, and a setting that cannot be used
            monkeypatch.setenv("KOSMO_SEGMENT_REGION", region)
            with pytest.raises(KosmoError) as caught:
                kosmo.call("segment.track", {"event": "E", "userId": "u"})
            trace = traceback.TracebackException.from_exception(
                caught.value, capture_locals=True, limit=None
            )
            shown = [*trace.format()]
            ours = [text for text in shown if "/kosmo_lua/" in text]
            assert ours != []
            assert CANARY not in "".join(ours)
        monkeypatch.delenv("KOSMO_SEGMENT_REGION")
        credentials = kosmo.accounts.load(segment, "default")
        things = (credentials, kosmo, kosmo.accounts, config, Policy(os.environ, config=config))
        more = (Accounts(os.environ, config=config), Catalog([segment]), kosmo.administration)
        assert CANARY not in repr((things, more, str(credentials), credentials.model_dump()))
        assert CANARY not in credentials.model_dump_json()


def test_secret_in_a_file_with_a_mistake_is_not_quoted(
    planted: Path, kosmo: Callable[..., Finished]
) -> None:
    """Ours: TOML that cannot be parsed is told by its line, without the line."""
    for text in (
        f"[segment.default]\nwrite_key = {CANARY}\n",
        f'[segment.default]\nwrite_key = "{CANARY}\n',
        f'[segment.default]\nwrite_key = ["{CANARY}"]\n',
        f'[segment]\nwrite_key = "{CANARY}"\n',
        f'segment = "{CANARY}"\n',
    ):
        (planted / "credentials.toml").write_text(textwrap.dedent(text))
        for command in (["accounts:list"], ["integrations:lua", "--force", "--eval", TRACK]):
            done = kosmo(*command)
            assert CANARY not in done.stdout + done.stderr
