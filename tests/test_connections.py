"""Connections: when one is used again and when not, and what goes over it, byte by byte."""

import errno
import gc
import gzip
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import weakref
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest
import trustme
from raw_server import RawServer, Step, reply

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.http import connections, transport
from kosmo_lua.http.library import httpx
from kosmo_lua.http.parser import Parser

Environ = dict[str, str]

TRACK = 'app.integrations.segment.track({event = "e", userId = "u"})'
TWICE = f"return {{{TRACK}.success, {TRACK}.success}}"
OK = b'{"success":true}'


def run(environ: Environ, code: str) -> Result:
    """Run Lua code that sends every request once."""
    with Kosmo(environ=environ, retry_budget=0) as kosmo:
        return kosmo.run(code)


def track(kosmo: Kosmo) -> None:
    """Send an event without a script, on this thread."""
    kosmo.call("segment.track", {"event": "e", "userId": "u"})


def sent(server: RawServer) -> list[str]:
    """Return the first line of every request that came."""
    return [request.split(b"\r\n")[0].decode() for request in server.requests]


# What goes out


def test_a_request_is_written_as_http(server: RawServer, to_server: Environ) -> None:
    """Ours: every byte of the head is known."""
    assert run(to_server, TRACK).success
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /v1/track HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: gzip, deflate",
        "Accept: */*",
        "Authorization: Basic d3JpdGUta2V5LW9mLXRlc3RzOg==",
        "Connection: keep-alive",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        f"Host: {server.url.removeprefix('http://')}",
        f"User-Agent: {connections.USER_AGENT}",
    ]
    assert json.loads(body)["event"] == "e"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"Authorization": "Bearer secret\r\nX-Injected: yes"}),
        ("GET", {"Authorization": "Bearer secret\0"}),
        ("GET", {"X: y\r\nX-Injected": "yes"}),
        ("GET / HTTP/1.1\r\nX:", {}),
    ],
)
def test_what_would_be_another_request_is_not_sent(
    method: str, headers: dict[str, str], server: RawServer
) -> None:
    """Ours: an integration that is wrong about its headers sends nothing, and shows none of them."""
    account = connections.Connections(5)
    with closing(account), pytest.raises(httpx.LocalProtocolError) as problem:
        account.send(account.request(method, server.url, headers), "It")
    assert "secret" not in str(problem.value)
    assert (sent(server), server.connections) == ([], 0)


def test_a_header_is_sent_once_however_it_is_written(server: RawServer) -> None:
    """Ours: an integration's own wins, but for the length; a second Host is refused by most services."""
    headers = {"host": "it.example", "accept": "text/plain", "content-length": "1", "X-Own": "x"}
    headers["transfer-encoding"] = "chunked"
    with closing(connections.Connections(5)) as account:
        account.send(account.request("POST", server.url, headers, content=b"{}"), "It")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.decode().split("\r\n")[1:] == [
        "Host: it.example",
        "Accept: text/plain",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
        f"User-Agent: {connections.USER_AGENT}",
        "X-Own: x",
        "Content-Length: 2",
    ]
    assert body == b"{}"


# Which connection it takes


def test_calls_share_a_connection(server: RawServer, to_server: Environ) -> None:
    """Issue 6: one keep-alive connection for each that calls."""
    assert run(to_server, TWICE).result == [True, True]
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 16\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + OK,
    ],
)
def test_an_answer_may_end_its_connection(
    answer: bytes, server: RawServer, to_server: Environ
) -> None:
    """RFC 9112: a length may be missing then, and the next call connects anew."""
    server.steps += [Step(answer, then="close"), Step(answer, then="close")]
    assert run(to_server, TWICE).result == [True, True]
    assert (sent(server), server.connections) == (["POST /v1/track HTTP/1.1"] * 2, 2)


def test_a_connection_that_the_service_has_closed_is_not_used(
    server: RawServer, to_server: Environ
) -> None:
    """Ours: the call that comes after it neither fails nor is made twice."""
    server.steps.append(Step(reply(200, {"success": True}), then="close"))
    with Kosmo(environ=to_server, retry_budget=0) as kosmo:
        track(kosmo)
        server.closed.get(timeout=20)
        track(kosmo)
    assert (sent(server), server.connections) == (["POST /v1/track HTTP/1.1"] * 2, 2)


def test_a_connection_that_was_idle_for_long_is_not_used(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: what is between may have dropped it without a word."""
    monkeypatch.setattr(transport, "KEPT_SECONDS", 0.0)
    assert run(to_server, TWICE).result == [True, True]
    assert server.connections == 2


def test_a_process_that_was_forked_has_connections_of_its_own(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: on one that it shares with its parent, each might get the answers of the other."""
    with Kosmo(environ=to_server, retry_budget=0) as kosmo:
        track(kosmo)
        monkeypatch.setattr(transport, "getpid", lambda: -1)
        track(kosmo)
    assert (sent(server), server.connections) == (["POST /v1/track HTTP/1.1"] * 2, 2)


def test_what_comes_after_an_answer_is_not_the_next_one(
    server: RawServer, to_server: Environ
) -> None:
    """Ours: nobody asked for it, so the connection is not used again."""
    server.answers(reply(200, {"success": True}) + reply(200, {"success": "smuggled"}))
    assert run(to_server, TWICE).result == [True, True]
    assert server.connections == 2


def test_a_connection_that_has_not_taken_a_whole_request_is_not_used_again(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: the next request would be the rest of this one's body; its answer counts all the same."""
    send = socket.socket.send

    def fails_once(self: socket.socket, data: bytes) -> int:
        monkeypatch.setattr(socket.socket, "send", send)
        send(self, data)
        raise OSError(errno.ENOBUFS, "No buffer space available")

    monkeypatch.setattr(socket.socket, "send", fails_once)
    assert run(to_server, TWICE).result == [True, True]
    assert server.connections == 2


# When it ends


def test_a_thread_that_has_ended_leaves_no_connection(
    server: RawServer, to_server: Environ
) -> None:
    """Ours: a program may make each call on a thread of its own, for months."""
    with Kosmo(environ=to_server, retry_budget=0) as kosmo:
        for _ in range(3):
            thread = Thread(target=track, args=(kosmo,))
            thread.start()
            thread.join()
            assert server.left.get(timeout=20) is None
    assert server.connections == 3


def test_an_answer_without_end_ends_with_its_run(to_server: Environ) -> None:
    """Ours: nobody wants it any more; its thread and its connection would stay for as long as it comes."""
    gone = Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        Thread(target=_drip, args=(listener, gone), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environ = to_server | {"KOSMO_SEGMENT_TRACKING_URL": url}
        with Kosmo(environ=environ, retry_budget=0, limits=Limits(wall=0.5)) as kosmo:
            result = kosmo.run(TRACK)
        assert gone.wait(20)
    assert result.error_info
    assert result.error_info.code == "wall_limit"
    assert [call.effect for call in result.call_log] == ["unknown"]


def _drip(listener: socket.socket, gone: Event) -> None:
    """Answer a byte at a time, until nobody takes it."""
    connection, _ = listener.accept()
    with connection, suppress(OSError):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" ")
            sleep(0.02)
    gone.set()


def test_what_connects_while_connections_are_closed_sends_nothing(
    server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: its run is over, and its effect is none."""
    account = connections.Connections(5)
    connect = socket.create_connection

    def slowly(*args: object) -> socket.socket:
        account.close()
        return connect(*args)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr(socket, "create_connection", slowly)
    with pytest.raises(httpx.ConnectError):
        account.send(account.request("POST", server.url, None, content=b"{}"), "It")
    assert server.left.get(timeout=20) is None
    assert sent(server) == []


# What comes back


def test_an_answer_whose_chunks_have_no_end_is_cut(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: they would fill the memory."""
    monkeypatch.setattr(connections, "MAX_ANSWER", 1024 * 1024)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers(head + b"100000\r\n" + b" " * 0x100000 + b"\r\n10\r\n" + OK + b"\r\n0\r\n\r\n")
    result = run(to_server, TRACK)
    assert "Segment answered with more than 1 MiB" in (result.error or "")
    assert [call.effect for call in result.call_log] == ["sent"]


@pytest.mark.parametrize("coding", ["gzip, gzip", "br"])
def test_what_is_packed_as_nobody_asked_for_is_not_unpacked(
    coding: str, server: RawServer, to_server: Environ
) -> None:
    """Ours: a thousand bytes that are packed twice may be a gigabyte, before anybody can count them."""
    bomb = gzip.compress(gzip.compress(b" " * 10_000_000 + OK))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(bomb)}\r\n\r\n"
    server.answers(head.encode() + bomb)
    result = run(to_server, TRACK)
    assert "Segment answered 200, but not with JSON" in (result.error or "")
    assert [call.effect for call in result.call_log] == ["sent"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(200, {"success": True}),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(200, {"success": True}),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + OK + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"6;x=y\r\n" + OK[:6] + b"\r\na\r\n" + OK[6:] + b"\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10  \r\n" + OK + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: folded\r\n over lines\r\nContent-Length: 16\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\nContent-Length: 16\n\n" + OK,
    ],
)
def test_an_answer_may_have_any_form_of_http(
    answer: bytes, server: RawServer, to_server: Environ
) -> None:
    """RFC 9112: interim answers are passed over, chunks are joined; the connection is kept.

    So are forms that no service should use any more, and that each client takes.
    """
    server.answers(answer)
    assert run(to_server, TWICE).result == [True, True]
    assert server.connections == 1


def test_an_answer_to_head_has_no_body(server: RawServer) -> None:
    """RFC 9110, 9.3.2: its length is that of another answer; the connection is kept."""
    server.usual = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n"
    with closing(connections.Connections(5)) as account:
        answers = [account.send(account.request("HEAD", server.url, None), "It") for _ in range(2)]
    assert [(answer.status, answer.content) for answer in answers] == [(200, b"")] * 2
    assert server.connections == 1


def test_spaces_around_a_header_are_no_part_of_it(server: RawServer, to_server: Environ) -> None:
    """RFC 9110, 5.5: the body is unpacked all the same."""
    body = gzip.compress(OK)
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: \t gzip \t\r\nContent-Length: {len(body)} \r\n\r\n"
    )
    server.answers(head.encode() + body)
    assert run(to_server, f"return {TRACK}.success").result is True


def test_headers_may_hold_any_bytes(server: RawServer, to_server: Environ) -> None:
    """RFC 9110, 5.5: also where the body comes in chunks; what was answered was sent."""
    head = b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers(head + b"10\r\n" + OK + b"\r\n0\r\n\r\n")
    result = run(to_server, f"return {TRACK}.success")
    assert (result.result, [call.effect for call in result.call_log]) == (True, ["sent"])


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 103 Early Hints\r\nX: x\r\n\r\n" * 10_000,
        b"HTTP/1.1 099 Early\r\nContent-Length: 2\r\n\r\n{}" + b"\0",
        b"HTTP/1.1 099 Early\r\nContent-Length: 2\r\n\r\n{}" + reply(200, {"success": True}),
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_what_is_no_http_is_no_answer(
    answer: bytes, server: RawServer, to_server: Environ
) -> None:
    """Ours: nobody knows what became of the request; the next one has a connection of its own."""
    server.answers(answer)
    result = run(to_server, f"return (pcall(function() return {TRACK} end)), {TRACK}.success")
    assert result.result == [False, True]
    first, second = result.call_log
    assert first.error
    assert (first.error.code, first.effect, first.attempts) == ("unreachable", "unknown", 1)
    assert re.search("did not answer in HTTP/1.1: [A-Za-z`].{10,}", first.error.message)
    assert "callback" not in first.error.message
    assert (second.effect, second.attempts, server.connections) == ("sent", 1, 2)


@pytest.mark.parametrize(
    "step",
    [
        Step(reply(200, {"success": True})),
        Step(b"HTTP/1.1 200 OK\r\n\r\n{}", then="close"),
        Step(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{}", then="close"),
        Step(b"SSH-2.0-OpenSSH_9.2\r\n"),
        Step(then="close"),
    ],
)
def test_an_answer_leaves_nothing_to_the_garbage_collector(
    step: Step, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: a program that has switched it off would grow with each answer."""
    made: list[weakref.ref[Parser]] = []

    def watched(method: str) -> Parser:
        parser = Parser(method)
        made.append(weakref.ref(parser))
        return parser

    monkeypatch.setattr(transport, "Parser", watched)
    server.steps.append(step)
    gc.disable()
    try:
        _send_once(server.url)
        assert [parser() for parser in made] == [None]
    finally:
        gc.enable()


def _send_once(url: str) -> None:
    with closing(connections.Connections(5)) as account, suppress(httpx.RequestError):
        account.send(account.request("GET", url, None), "It")


# TLS, and proxies


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Make an authority that this process trusts."""
    authority, file = trustme.CA(), tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr(connections, "_tls", connections._tls.__wrapped__)  # noqa: SLF001  # it is kept otherwise
    return authority


def secure(authority: trustme.CA, name: str) -> RawServer:
    """Serve with a certificate for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(name).configure_cert(context)
    return RawServer(context)


def test_calls_share_a_connection_with_tls(authority: trustme.CA, to_server: Environ) -> None:
    """Issue 6: its handshake is made once; only HTTP/1.1 is offered."""
    server = secure(authority, "127.0.0.1")
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": server.url}, TWICE)
    server.close()
    assert result.result == [True, True]
    assert (sent(server), server.connections) == (["POST /v1/track HTTP/1.1"] * 2, 1)


def test_a_certificate_for_another_name_gets_nothing(
    authority: trustme.CA, to_server: Environ
) -> None:
    """Ours: whoever answers there is not the service."""
    server = secure(authority, "segment.example")
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": server.url}, TRACK)
    server.close()
    assert result.error_info
    assert (result.error_info.code, result.error_info.effect) == ("unreachable", "none")
    assert "certificate is not valid for '127.0.0.1'" in (result.error or "")
    assert sent(server) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"", "NO_CERTIFICATE_OR_CRL_FOUND")],
)
def test_certificates_that_cannot_be_read_are_an_error_of_the_environment(
    content: bytes | None,
    reason: str,
    to_server: Environ,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ours: SSL_CERT_FILE is set on machines of companies, and wrong on some."""
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setattr(connections, "_tls", connections._tls.__wrapped__)  # noqa: SLF001  # it is kept otherwise
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": "https://segment.example"}, TRACK)
    assert result.error_info
    assert (result.error_info.code, result.error_info.effect) == ("config_error", "none")
    assert result.error == (
        f"eval:1: segment.track_event: the certificates of SSL_CERT_FILE cannot be read: {reason}"
    )


def test_a_script_without_calls_needs_no_certificates() -> None:
    """Ours: in a process of its own, too, whose server has made ready what a request needs."""
    code = "from kosmo_lua import Kosmo; print(Kosmo(isolation='process').run('return 1').result)"
    environ = {**os.environ, "SSL_CERT_FILE": "/nowhere/authority.pem"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_a_proxy_of_the_environment_is_asked(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: as curl has it, by the names HTTP_PROXY and NO_PROXY."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    away = to_server | {"KOSMO_SEGMENT_TRACKING_URL": "http://localhost:1"}
    assert run(away, TWICE).result == [True, True]
    assert sent(server) == ["POST http://localhost:1/v1/track HTTP/1.1"] * 2
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    assert run(to_server, TRACK).success
    assert sent(server)[2:] == ["POST /v1/track HTTP/1.1"]


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nX-Secret \x00 write-key-of-tests\r\n\r\n"]
)
def test_a_proxy_that_does_not_answer_is_not_quoted(
    answer: bytes, server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: the bytes that it has sent are no sentence for who reads the error."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, server.url)
    server.steps.append(Step(answer, then="close"))
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": "http://localhost:1"}, TRACK)
    assert result.error == (
        "eval:1: segment.track_event: localhost:1 cut the connection before it answered"
    )
    assert [call.effect for call in result.call_log] == ["unknown"]


def test_a_proxy_that_refuses_a_tunnel_gets_no_request(
    server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: neither the request nor a credential reaches it."""
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, server.url)
    server.answers(reply(403))
    result = run(to_server | {"KOSMO_SEGMENT_TRACKING_URL": "https://segment.example"}, TRACK)
    assert result.error_info
    assert (result.error_info.code, result.error_info.effect) == ("unreachable", "none")
    assert sent(server) == ["CONNECT segment.example:443 HTTP/1.1"]
    assert b"Authorization" not in server.requests[0]


@pytest.mark.parametrize(
    "proxy",
    [
        "socks9://a:password@127.0.0.1:1",
        "http://a:pass/word@127.0.0.1:1",
        "http://a:password@a..b:1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_of_the_environment(
    proxy: str, server: RawServer, to_server: Environ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: nothing was sent, the integration is not to blame, and no part of a password is shown."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, proxy)
    result = run(to_server, TRACK)
    assert result.error_info
    assert (result.error_info.code, result.error_info.effect) == ("unreachable", "none")
    assert "the proxy that the environment names cannot be used" in (result.error or "")
    assert "pass" not in (result.error or "")
    assert sent(server) == []
