"""kosmo as an MCP server over HTTP: who gets in, and how it ends."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from coding_agent import alive, http_gateway, over_http, text_of
from conftest import poll
from envelopes import assert_fits

from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import ConfigError
from kosmo_lua.gateway.http import token_from

TOKEN = "a-token-of-this-test"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def listening(process: subprocess.Popen[bytes]) -> Any:
    """Return the document that a gateway prints when it listens."""
    assert process.stdout is not None
    lines = list[bytes]()
    while not lines or lines[-1] != b"}\n":
        lines.append(process.stdout.readline())
        assert lines[-1], "it has ended"
    return json.loads(b"".join(lines))


@pytest.fixture(scope="module")
def url(gateway_environ: dict[str, str]) -> Iterator[str]:
    """A gateway that wants the token of its environment."""
    env = {**gateway_environ, "KOSMO_MCP_TOKEN": TOKEN}
    with http_gateway(env=env) as process:
        document = listening(process)
        assert_fits("mcp:serve", document)
        assert document == {
            "schema_version": 1,
            "success": True,
            "url": document["url"],
            "token": None,
            "error": None,
            "error_info": None,
            "warnings": [],
        }
        yield document["url"]


def initialize(url: str, **headers: str) -> httpx.Response:
    """Send the first request of a client."""
    with httpx.Client(trust_env=False) as http:
        return http.post(url, json=INITIALIZE, headers={**ACCEPT, **headers}, timeout=20)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_agent_with_the_token_works_over_http(url: str, mode: str) -> None:
    """The card: streamable HTTP, with the official client, of the newest protocol and of the one before."""
    with over_http(url, TOKEN, mode) as agent:
        assert [*agent.tools()] == ["search_docs", "read_doc", "run_read", "run_write"]
        result = agent.call("run_read", code='return "\N{MAN}"')
        assert text_of(result) == 'result: "\N{MAN}"'
        assert result.structured_content["result"] == "\N{MAN}"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_cancelled_request_ends_its_script_over_http(
    url: str, services: Emulator, descendants: Callable[[int], set[int]], mode: str
) -> None:
    """Ours: in the newest protocol the client closes the stream, in the one before it says so."""
    services.reset()
    services.fault(delay=60)
    with over_http(url, TOKEN, mode) as agent:
        agent.call("run_read", code="return 1")  # the server of processes is there
        before = descendants(os.getpid())
        code = "while true do pcall(app.integrations.segment.get_current_user) end"
        running = agent.start("run_read", code=code)
        poll(lambda: services.stats().requests)
        started = descendants(os.getpid()) - before
        assert len(started) == 1
        running.cancel()
        poll(lambda: not alive(started))


@pytest.mark.parametrize(
    "shown",
    [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer  {TOKEN}",
        "Bearer",
    ],
)
def test_who_does_not_show_the_token_gets_nothing(url: str, shown: str | None) -> None:
    """The card: an HTTP server wants a token."""
    headers = {} if shown is None else {"Authorization": shown}
    answer = initialize(url, **headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert TOKEN not in answer.text


def test_token_is_wanted_on_every_path_and_method(url: str) -> None:
    """Ours: nothing of the server answers strangers."""
    root = url.removesuffix("/mcp")
    with httpx.Client(trust_env=False) as http:
        for method, path in (("GET", "/"), ("GET", "/mcp"), ("DELETE", "/mcp"), ("POST", "/x")):
            assert http.request(method, root + path).status_code == 401


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403),
        ("Origin", "http://127.0.0.1.evil.example:80", 403),
        ("Origin", "http://localhost.evil.example", 403),
        ("Origin", "http://localhost:3000.evil.example", 403),
        ("Host", "127.0.0.1:x@evil.example", 421),
        ("Host", "evil.example", 421),
        ("Host", "127.0.0.1.evil.example:80", 421),
        ("Origin", "http://localhost:3000", 200),
        ("Origin", "http://127.0.0.1", 200),
        ("Host", "localhost:1234", 200),
    ],
)
def test_only_pages_and_names_of_this_machine_get_in(
    url: str, name: str, value: str, status: int
) -> None:
    """The card: Origin and Host are checked, also of who has the token."""
    headers = {"Authorization": f"Bearer {TOKEN}", name: value}
    assert initialize(url, **headers).status_code == status


def test_server_listens_on_loopback_only(url: str) -> None:
    """The card: nobody in the network can reach it."""
    port = int(url.removesuffix("/mcp").rpartition(":")[2])
    sockets = [
        line.split()
        for file in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(file).read_text().splitlines()[1:]
    ]
    places = [place for _, place, _, state, *_ in sockets if state == "0A"]
    assert [place for place in places if place.endswith(f":{port:04X}")] == [
        f"0100007F:{port:04X}"
    ]


def test_token_is_new_each_time_and_printed_once(gateway_environ: dict[str, str]) -> None:
    """The card: without KOSMO_MCP_TOKEN a fresh one, printed once."""
    with http_gateway(env=gateway_environ) as process:
        document = listening(process)
        assert len(document["token"]) >= 32
        answer = initialize(document["url"], Authorization=f"Bearer {document['token']}")
        assert answer.status_code == 200
        answer = initialize(document["url"], Authorization=f"bearer {document['token']}")
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=5)
        assert (process.returncode, stdout, stderr) == (130, b"", b"")


@pytest.mark.parametrize("token", ["two words", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", "a\nb"])
def test_token_that_no_header_can_carry_is_refused(token: str) -> None:
    """Ours: else nobody would get in; and the error does not show it."""
    with pytest.raises(ConfigError) as caught:
        token_from(token)
    assert caught.value.message == "KOSMO_MCP_TOKEN must be printable ASCII without spaces"


def test_no_script_and_no_process_below_has_the_token(gateway_environ: dict[str, str]) -> None:
    """Ours: a script, or an MCP server of the user, could else call the gateway."""
    env = {**gateway_environ, "KOSMO_MCP_TOKEN": TOKEN}
    with http_gateway("--emulator", env=env) as process:
        url = listening(process)["url"]
        with over_http(url, TOKEN) as agent:
            agent.call("run_read", code="return 1")
            children = Path(f"/proc/{process.pid}/task").glob("*/children")
            (server,) = [pid for tasks in children for pid in tasks.read_text().split()]
            environ = Path(f"/proc/{server}/environ").read_bytes()
    assert TOKEN.encode() not in environ
    assert b"KOSMO_GATEWAY=1" in environ


def test_sigterm_in_the_middle_of_a_call_leaves_no_process(
    gateway_environ: dict[str, str],
    services: Emulator,
    descendants: Callable[[int], set[int]],
) -> None:
    """The card: within a second, with its scripts, and nothing is sent afterwards."""
    services.reset()
    services.fault(delay=60)
    with http_gateway(env=gateway_environ) as process:
        document = listening(process)
        token = {"Authorization": f"Bearer {document['token']}"}
        session = initialize(document["url"], **token).headers["mcp-session-id"]
        headers = {**ACCEPT, **token, "Mcp-Session-Id": session}
        code = "while true do pcall(app.integrations.segment.get_current_user) end"
        call = {"name": "run_read", "arguments": {"code": code}}
        message = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
        with (
            httpx.Client(trust_env=False) as http,
            http.stream("POST", document["url"], json=message, headers=headers, timeout=20),
        ):
            poll(lambda: services.stats().requests)
            below = descendants(process.pid)
            assert len(below) == 2  # the server of processes, and the script's
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=2) == 143
            poll(lambda: not alive(below))
    assert sum(services.stats().requests.values()) == 1


def test_port_that_is_taken_is_an_error_in_the_envelope(
    url: str, gateway_environ: dict[str, str], kosmo: Callable[..., Any]
) -> None:
    """Ours: the family's error, and the exit status of a setting."""
    port = url.removesuffix("/mcp").rpartition(":")[2]
    done = kosmo("mcp:serve", "--http", "--port", port, "--json", env=gateway_environ)
    assert done.status == 78
    assert done.json()["error_info"]["code"] == "config_error"
    assert done.json()["error"] == (
        f"cannot listen on port {port} of 127.0.0.1: Address already in use"
    )
