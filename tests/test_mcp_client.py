"""Talking to MCP servers: programs and addresses, what they answer, and all that can go wrong.

The servers are in tests/mcp_servers.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from conftest import ROOT, poll
from raw_server import RawServer, Step, reply

from kosmo_lua.errors import ConfigError, ExtraMissing, Interrupted, KosmoError
from kosmo_lua.mcp.connections import Connection, Connections
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.values import Json

SERVERS = Path(__file__).parent / "mcp_servers"
BIG = 5 * 1024 * 1024
TOOLS = [
    *("add", "echo", "note", "json_text", "many_blocks", "nothing", "fail", "boom", "big"),
    *("slow", "crash", "odd-name.v2", "odd_name_v2", "environment", "headers", "strict"),
]
COVER: dict[str, Json] = {
    "uri": "library://cover",
    "mime_type": "application/octet-stream",
    "data": b64encode(bytes(range(256))).decode(),
}


def program(name: str, *arguments: str, timeout: float = 20.0, **env: str) -> Endpoint:
    """Describe a server that is a program."""
    return Endpoint(
        name=name,
        command=(sys.executable, str(SERVERS / f"{name}.py"), *arguments),
        env={"PATH": os.environ["PATH"], **env},
        timeout=timeout,
    )


class Groups:
    """What was told of process groups."""

    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []

    def __call__(self, group: int | None, started: bool, /) -> None:  # noqa: FBT001  # as it is called
        """Learn that a group has started, or ended."""
        if group is not None:  # one that is about to start has none
            self.told.append((group, started))

    @property
    def started(self) -> list[int]:
        """The groups that were started, in order."""
        return [group for group, started in self.told if started]

    @property
    def ended(self) -> list[int]:
        """The groups that have ended, in order."""
        return [group for group, started in self.told if not started]


@pytest.fixture
def groups() -> Groups:
    """Keep what is told of process groups."""
    return Groups()


@pytest.fixture
def connections(groups: Groups) -> Iterator[Connections]:
    """Connect for one test."""
    threads = set(threading.enumerate())
    connections = Connections(groups)
    yield connections
    connections.close()
    assert sorted(groups.ended) == sorted(groups.started)
    poll(lambda: set(threading.enumerate()) <= threads)


Connect = Callable[[Endpoint], Connection]


@pytest.fixture
def connect(connections: Connections) -> Connect:
    """Return the connection to a server, one for each that is asked for."""
    names = iter(range(1000))
    return lambda endpoint: connections.to(lambda: endpoint, f"server_{next(names)}")


class Library(NamedTuple):
    """The server library.py, and the file that it writes to."""

    connection: Connection
    notes: Path
    endpoint: Endpoint


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Endpoint]]:
    """Serve library.py over HTTP."""
    with contextlib.ExitStack() as stack:

        def served(*arguments: str, timeout: float = 20.0, **env: str) -> Endpoint:
            command = [sys.executable, str(SERVERS / "library.py"), "--http", *arguments]
            environment = {"PATH": os.environ["PATH"], **env}
            process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)  # noqa: S603  # our own
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
            return Endpoint(name="library", url=url, timeout=timeout)

        yield served


@pytest.fixture(scope="module")
def libraries() -> Iterator[Connections]:
    """Connect for all tests of this module."""
    connections = Connections(lambda _group, _started: None)
    yield connections
    connections.close()


@pytest.fixture(scope="module", params=["stdio", "http", "http --json", "http --legacy"])
def library(
    request: pytest.FixtureRequest,
    libraries: Connections,
    served: Callable[..., Endpoint],
    tmp_path_factory: pytest.TempPathFactory,
) -> Library:
    """Reach the library in one of the ways."""
    notes = tmp_path_factory.mktemp("notes") / "notes.txt"
    settings = {"NOTES": str(notes), "PAGE_SIZE": "3"}
    if request.param == "stdio":
        endpoint = program("library", NOTES=str(notes), PAGE_SIZE="3")
    else:
        endpoint = served(*request.param.split()[1:], **settings)
    return Library(libraries.to(lambda: endpoint, request.param), notes, endpoint)


told_of_cancellation = pytest.mark.parametrize(
    "library", ["stdio", "http", "http --legacy"], indirect=True
)
"""Where the SDK's server hears of one: while it answers with JSON it does not look whether anybody waits."""


over_http = pytest.mark.parametrize("library", ["http"], indirect=True)


def call(connection: Connection, tool: str, **arguments: Json) -> Json:
    """Call a tool."""
    return connection.call_tool(tool, arguments, lambda: None)


def failure(work: Callable[[], object]) -> dict[str, Any]:
    """Return the facts of the error that work ends with, but for the hint."""
    with pytest.raises(KosmoError) as caught:
        work()
    facts = caught.value.facts()
    return {key: facts[key] for key in ("code", "effect", "message", "status", "details")}


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# What servers answer


def test_w9_all_pages_of_a_list_are_read(library: Library) -> None:
    """The server gives three tools a page; all come, in its order."""
    assert [tool["name"] for tool in library.connection.tools()] == TOOLS


def test_a_tool_comes_as_the_protocol_has_it(library: Library) -> None:
    """What the server did not say is not there."""
    number = {"type": "number"}
    assert library.connection.tools()[0] == {
        "name": "add",
        "title": "Add",
        "description": "Add two numbers.",
        "inputSchema": {
            "type": "object",
            "properties": {"a": number, "b": number},
            "required": ["a", "b"],
        },
        "outputSchema": {"type": "object", "properties": {"sum": number}, "required": ["sum"]},
        "annotations": {"readOnlyHint": True},
    }


def test_the_server_says_how_it_is_used(library: Library) -> None:
    """Title and instructions are there after the first use."""
    library.connection.tools()
    assert library.connection.title == "The library"
    assert library.connection.instructions == "Ask for books."


def test_w9_structured_content_is_preferred(library: Library) -> None:
    """The server says the same in words, which nobody has to read."""
    assert call(library.connection, "add", a=1, b=2.5) == {"sum": 3.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        (" [1]\n", [1]),
        ("12", "12"),
        ('"quoted"', '"quoted"'),
        ("null", "null"),
        ("[NaN]", "[NaN]"),
        ("[1", "[1"),
        ("[" * 100_000, "[" * 100_000),
        ("", ""),
        ("Grüße, 世界 \x00\u2028", "Grüße, 世界 \x00\u2028"),
    ],
)
def test_a_text_is_decoded_if_it_is_json_of_an_object_or_list(
    library: Library, text: str, value: Json
) -> None:
    """Any other text is what it is."""
    assert call(library.connection, "echo", text=text) == value


def test_no_content_is_null(library: Library) -> None:
    """Not an empty list."""
    assert call(library.connection, "nothing") is None


def test_several_blocks_are_a_list(library: Library) -> None:
    """Each says its type; bytes are Base64."""
    blocks = call(library.connection, "many_blocks")
    assert isinstance(blocks, list)
    assert blocks[:4] == [
        {"type": "text", "text": "Look:"},
        {"type": "image", "mime_type": "image/png", "data": "iVBORw0KGgo="},
        {"type": "audio", "mime_type": "audio/wav", "data": "UklGRi4uLi5XQVZF"},
        {
            "type": "resource",
            "resource": {"uri": "library://page", "mime_type": "text/plain", "text": "Once"},
        },
    ]
    assert blocks[4] == {"type": "resource", "resource": COVER}
    assert blocks[5] == {
        "type": "resource_link",
        "uri": "library://shelf",
        "name": "shelf",
        "mime_type": None,
        "description": None,
    }


def test_w3_an_answer_of_five_mebibytes_comes_whole_and_soon(library: Library) -> None:
    """Upstream fails beyond 64 KiB."""
    begin = time.monotonic()
    assert call(library.connection, "big") == "x" * BIG
    assert time.monotonic() - begin < 5


def test_w3_arguments_of_a_mebibyte_arrive(library: Library) -> None:
    """Both directions take long messages."""
    text = "0123456789abcdef" * 65536
    assert call(library.connection, "echo", text=text) == text


def test_resources_and_their_templates_are_listed(library: Library) -> None:
    """A template has `uriTemplate`, a resource has `uri`."""
    assert library.connection.resources() == [
        {
            "uri": "library://shelf",
            "name": "shelf",
            "mimeType": "text/plain",
            "title": "The shelf",
        },
        {"uri": "library://cover", "name": "cover", "mimeType": "application/octet-stream"},
        {"uriTemplate": "library://books/{title}", "name": "book"},
    ]


def test_a_resource_is_read(library: Library) -> None:
    """As text, or as bytes in Base64."""
    read = library.connection.read_resource
    text = {"mime_type": "text/plain", "text": "This is books/Momo."}
    assert read("library://books/Momo") == [{"uri": "library://books/Momo", **text}]
    assert read("library://cover") == [COVER]


def test_prompts_are_listed_and_filled_in(library: Library) -> None:
    """Arguments are texts."""
    assert [prompt["name"] for prompt in library.connection.prompts()] == ["review", "hello"]
    words = "Please review Momo in a stern tone."
    assert library.connection.get_prompt("review", {"title": "Momo", "tone": "stern"}) == {
        "description": "A review.",
        "messages": [{"role": "user", "content": {"type": "text", "text": words}}],
    }


@told_of_cancellation
def test_progress_is_told_on_the_thread_of_the_caller(library: Library) -> None:
    """What is done, of how much, and a message."""
    told: list[tuple[object, ...]] = []
    result = library.connection.call_tool(
        "slow",
        {"seconds": 0.1, "steps": 2},
        lambda: None,
        lambda *progress: told.append((*progress, threading.current_thread())),
    )
    me = threading.current_thread()
    assert result == "done"
    assert told == [(1.0, 2.0, "step 1", me), (2.0, 2.0, "step 2", me)]


def test_a_program_has_its_own_environment_only(connect: Connect) -> None:
    """Nothing of the environment of kosmo."""
    library = connect(program("library", ONLY="this"))
    environment = call(library, "environment")
    assert isinstance(environment, dict)
    assert set(environment) - {"LC_CTYPE"} == {"PATH", "ONLY"}


# What servers refuse


def test_a_tool_that_fails_says_why(library: Library) -> None:
    """The message has it in one line, the details have the blocks."""
    assert failure(lambda: call(library.connection, "fail", reason="no\nluck")) == {
        "code": "service_error",
        "effect": "sent",
        "message": "the MCP server library answered with an error: no luck",
        "status": None,
        "details": {"content": [{"type": "text", "text": "no\nluck"}]},
    }


def test_an_error_of_the_protocol_has_its_code(library: Library) -> None:
    """And its data."""
    assert failure(lambda: call(library.connection, "boom", code=-32050)) == {
        "code": "service_error",
        "effect": "sent",
        "message": "the MCP server library refused the request: the shelf fell over (-32050)",
        "status": None,
        "details": {"code": -32050, "data": {"shelf": 3}},
    }


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda library: call(library, "shout"), "Unknown tool: shout"),
        (lambda library: library.read_resource("library://x"), "Unknown resource: library://x"),
        (lambda library: library.get_prompt("review", {}), "Missing argument: title"),
    ],
)
def test_arguments_that_the_server_does_not_take_are_invalid(
    library: Library, ask: Callable[[Connection], object], words: str
) -> None:
    """The server has answered -32602."""
    assert failure(lambda: ask(library.connection)) == {
        "code": "invalid_arguments",
        "effect": "sent",
        "message": f"the MCP server library refused the request: {words} (-32602)",
        "status": None,
        "details": {"code": -32602, "data": None, "problems": [words]},
    }


def test_null_and_large_numbers_arrive_in_arguments(connect: Connect) -> None:
    """Also where they are deep."""
    given: dict[str, Json] = {"a": None, "b": {"c": [None, {"d": None}]}, "e": 2**63 - 1, "f": {}}
    assert call(connect(program("old")), "echo", **given) == given


# Time


def lines_of(path: Path) -> list[str]:
    """Return what a server has written down."""
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.mark.parametrize("library", ["http", "http --legacy"], indirect=True)
def test_no_answer_in_time_leaves_it_open_what_happened(
    library: Library, connect: Connect
) -> None:
    """The server is told that nobody waits any more."""
    hasty = connect(replace(library.endpoint, timeout=2.0))
    before = len(lines_of(library.notes))
    assert failure(lambda: call(hasty, "slow", seconds=60, steps=1)) == {
        "code": "timed_out",
        "effect": "unknown",
        "message": "the MCP server library did not answer within 2 s",
        "status": None,
        "details": None,
    }
    poll(lambda: lines_of(library.notes)[before:] == ["cancelled"])


def test_no_answer_of_a_program_in_time_leaves_it_open_what_happened(
    connect: Connect, tmp_path: Path
) -> None:
    """It is told too, and can be asked again."""
    notes = tmp_path / "notes"
    old = connect(program("old", timeout=2.0, NOTES=str(notes)))
    assert failure(lambda: call(old, "echo", never=True)) == {
        "code": "timed_out",
        "effect": "unknown",
        "message": "the MCP server old did not answer within 2 s",
        "status": None,
        "details": None,
    }
    poll(lambda: lines_of(notes) == ["cancelled"])
    assert call(old, "echo", a=1) == {"a": 1}


def test_progress_lets_the_time_begin_anew(connect: Connect) -> None:
    """A call may take longer than the time-out as long as it shows that it goes on."""
    chatty = connect(program("chatty", timeout=1.0, STEPS="30"))
    begin = time.monotonic()
    assert call(chatty, "echo", a=1) == {"a": 1}
    assert time.monotonic() - begin > 1.4


def test_progress_does_not_hold_a_call_for_ever(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the time-out is the most, or here twice."""
    monkeypatch.setattr("kosmo_lua.mcp.session.LONGEST_TIMES", 2)
    facts = failure(lambda: call(connect(program("chatty", timeout=1.0, STEPS="1000")), "echo"))
    assert facts["message"] == "the MCP server chatty did not answer within 2 s"


def test_a_server_that_never_answers_is_given_up_before_anything_was_sent(
    connect: Connect, tmp_path: Path
) -> None:
    """What it said on stderr is told."""
    mute = connect(program("mute", timeout=1.0, PIDS=str(tmp_path / "pids")))
    sent: list[bool] = []
    assert failure(lambda: mute.call_tool("echo", {}, lambda: sent.append(True))) == {
        "code": "timed_out",
        "effect": "none",
        "message": "the MCP server mute did not answer within 1 s; it said: I do not talk",
        "status": None,
        "details": None,
    }
    assert sent == []


# Several at once


def test_calls_over_one_connection_overlap(library: Library) -> None:
    """Twenty that take half a second each take less than ten."""
    library.connection.tools()
    begin = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        slow = [
            pool.submit(call, library.connection, "slow", seconds=0.5, steps=1) for _ in range(20)
        ]
        echoes = [
            pool.submit(call, library.connection, "echo", text=str(number)) for number in range(20)
        ]
        assert [future.result() for future in slow] == ["done"] * 20
        assert [future.result() for future in echoes] == [str(number) for number in range(20)]
    assert time.monotonic() - begin < 5


def test_servers_are_connected_side_by_side(connect: Connect) -> None:
    """Three that take a second to start take less than three of them."""
    script = f"sleep 1; exec {sys.executable} {SERVERS / 'old.py'}"
    late = Endpoint(name="late", command=("sh", "-c", script), env={"PATH": os.environ["PATH"]})
    connect(program("old")).tools()  # the SDK is imported once
    begin = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        lists = [pool.submit(connect(late).tools) for _ in range(3)]
        assert [len(future.result()) for future in lists] == [1, 1, 1]
    assert 1 <= time.monotonic() - begin < 2.5


def test_threads_that_need_a_connection_at_once_wait_for_one(
    connections: Connections, groups: Groups
) -> None:
    """The server is started once, and its references are expanded once."""
    asked: list[bool] = []

    def endpoint() -> Endpoint:
        asked.append(True)
        return program("old")

    connection = connections.to(endpoint, "old")
    with ThreadPoolExecutor(8) as pool:
        lists = [pool.submit(connection.tools) for _ in range(8)]
        assert [len(future.result()) for future in lists] == [1] * 8
    assert asked == [True]
    assert len(groups.started) == 1
    assert connections.to(endpoint, "old") is connection


def test_threads_that_wait_for_a_connection_fail_with_it(connect: Connect, groups: Groups) -> None:
    """Each gets an error of its own, for the path of a call writes into it."""
    script = "sleep 0.3; exit 1"
    broken = connect(Endpoint(name="broken", command=("/bin/sh", "-c", script), env={}))
    with ThreadPoolExecutor(4) as pool:
        errors = [future.exception() for future in [pool.submit(broken.tools) for _ in range(4)]]
    assert [getattr(error, "code", None) for error in errors] == ["unreachable"] * 4
    assert len({id(error) for error in errors}) == 4
    assert len(groups.started) == 2  # the second time it is greeted as of old


# Ends


def test_a_crash_in_the_middle_of_a_call_costs_only_that(
    connect: Connect, groups: Groups, tmp_path: Path
) -> None:
    """It is not called twice; the next call gets a server anew."""
    notes = tmp_path / "notes"
    library = connect(program("library", NOTES=str(notes)))
    assert failure(lambda: call(library, "crash")) == {
        "code": "unreachable",
        "effect": "unknown",
        "message": "the MCP server library ended with exit status 7 before it answered;"
        " it said: FATAL : the roof is gone",
        "status": None,
        "details": None,
    }
    assert lines_of(notes) == ["crash"]
    assert call(library, "echo", text="again") == "again"
    assert len(groups.started) == 2
    assert groups.ended == groups.started[:1]


def test_a_server_that_ended_between_two_calls_is_started_anew(
    connect: Connect, groups: Groups
) -> None:
    """Nobody had asked it anything."""
    old = connect(program("old"))
    old.tools()
    os.kill(groups.started[0], signal.SIGKILL)
    poll(lambda: groups.ended)
    assert call(old, "echo", a=1) == {"a": 1}


def test_the_end_of_a_program_is_seen_though_another_holds_its_output(
    connect: Connect, groups: Groups
) -> None:
    """And that one is ended too."""
    command = ("/bin/sh", "-c", "sleep 60 & echo bye >&2; exit 3")
    endpoint = Endpoint(name="left", command=command, env={"PATH": os.environ["PATH"]})
    assert failure(connect(endpoint).tools)["message"] == (
        "the MCP server left ended with exit status 3 before it could be asked; it said: bye"
    )
    poll(lambda: sorted(groups.ended) == sorted(groups.started))


def test_a_server_that_ends_at_once_says_why(connect: Connect) -> None:
    """Without secrets, colours and line ends."""
    endpoint = replace(program("dies", SECRET="hush-hush-hush"), secrets=("hush-hush-hush",))
    assert failure(connect(endpoint).tools) == {
        "code": "unreachable",
        "effect": "none",
        "message": "the MCP server dies ended with exit status 3 before it could be asked; it said:"
        " Traceback (most recent call last): ConfigError : the token ******** is wrong",
        "status": None,
        "details": None,
    }


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (Endpoint(name="x", command=("/no/such",)), "there is no program /no/such"),
        (
            Endpoint(name="x", command=("no-such",), env={"PATH": ""}),
            "there is no program no-such",
        ),
        (Endpoint(name="x", command=("/",)), "/: Permission denied"),
        (Endpoint(name="x", command=("/bin/sh",), cwd="/no/such"), "there is no folder /no/such"),
        (Endpoint(name="x", command=("a\0b",)), "a\0b: embedded null byte"),
    ],
)
def test_a_program_that_cannot_be_started_says_why(
    connect: Connect, endpoint: Endpoint, message: str
) -> None:
    """Nothing was sent."""
    facts = failure(connect(endpoint).tools)
    assert (facts["code"], facts["effect"]) == ("unreachable", "none")
    assert facts["message"] == f"the MCP server x cannot be started: {message}"


def test_close_ends_the_whole_tree_of_a_server_that_does_not_want_to(
    connections: Connections, tmp_path: Path
) -> None:
    """Several at once, in the time of one; twice does no harm."""
    mutes = [
        connections.to(partial(program, "mute", PIDS=str(tmp_path / name), timeout=60.0), name)
        for name in ("one", "two")
    ]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(mute.tools) for mute in mutes]
        poll(lambda: (tmp_path / "one").exists() and (tmp_path / "two").exists())
        begin = time.monotonic()
        connections.close()
        assert time.monotonic() - begin < 5
        assert all(isinstance(future.exception(), Interrupted) for future in waiting)
    connections.close()
    pids = [int(pid) for name in ("one", "two") for pid in (tmp_path / name).read_text().split()]
    assert len(pids) == 4
    poll(lambda: not any(is_running(pid) for pid in pids))


@over_http
def test_nothing_is_left_open(library: Library, tmp_path: Path) -> None:
    """No pipe, socket, thread or process: of servers that answer, that end and that cannot be reached."""
    endpoint = library.endpoint
    library.connection.tools()
    descriptors, threads = set(Path("/dev/fd").iterdir()), set(threading.enumerate())
    groups = Groups()
    connections = Connections(groups)
    assert call(connections.to(lambda: program("old"), "old"), "echo", a=1) == {"a": 1}
    assert call(connections.to(lambda: endpoint, "web"), "add", a=1, b=2) == {"sum": 3}
    failure(connections.to(lambda: program("dies"), "dies").tools)
    failure(connections.to(lambda: replace(endpoint, url="http://127.0.0.1:1/"), "none").tools)
    crashing = connections.to(lambda: program("library", NOTES=str(tmp_path / "notes")), "library")
    failure(lambda: call(crashing, "crash"))
    connections.close()
    poll(lambda: set(Path("/dev/fd").iterdir()) == descriptors)
    poll(lambda: set(threading.enumerate()) == threads)
    assert sorted(groups.ended) == sorted(groups.started)


def test_nothing_is_asked_after_the_end(connections: Connections) -> None:
    """The run is over."""
    connections.close()
    facts = failure(connections.to(lambda: program("old"), "old").tools)
    assert (facts["code"], facts["effect"]) == ("interrupted", "none")


@told_of_cancellation
def test_requests_under_way_can_be_cancelled(library: Library, connect: Connect) -> None:
    """The server is told, and their callers are interrupted."""
    connection = connect(library.endpoint)
    before = len(lines_of(library.notes))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(call, connection, "slow", seconds=60, steps=1, started=True)
        poll(lambda: lines_of(library.notes)[before:] == ["started"])
        connection.cancel_all()
        assert isinstance(slow.exception(), Interrupted)
    poll(lambda: lines_of(library.notes)[before:] == ["started", "cancelled"])
    assert call(connection, "echo", text="still here") == "still here"


@told_of_cancellation
def test_ctrl_c_cancels_the_request_that_the_main_thread_waits_for(
    library: Library, connect: Connect
) -> None:
    """The server is told."""
    connection = connect(library.endpoint)
    before = len(lines_of(library.notes))

    def press() -> None:
        poll(lambda: lines_of(library.notes)[before:] == ["started"])
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    with pytest.raises(KeyboardInterrupt):
        call(connection, "slow", seconds=60, steps=1, started=True)
    finger.join()
    poll(lambda: lines_of(library.notes)[before:] == ["started", "cancelled"])


def test_ctrl_c_while_a_server_starts_ends_it(
    connect: Connect, groups: Groups, tmp_path: Path
) -> None:
    """It is not left to the end of the run."""
    mute = connect(program("mute", PIDS=str(tmp_path / "pids"), timeout=60.0))

    def press() -> None:
        poll((tmp_path / "pids").exists)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    with pytest.raises(KeyboardInterrupt):
        mute.tools()
    finger.join()
    poll(lambda: groups.ended == groups.started, seconds=10)


def test_a_write_is_sent_once(library: Library) -> None:
    """And told right before."""
    before = len(lines_of(library.notes))
    told: list[int] = []
    library.connection.tools()
    result = library.connection.call_tool(
        "note", {"text": "hello"}, lambda: told.append(len(lines_of(library.notes)))
    )
    assert result == "noted"
    assert told == [before]
    assert lines_of(library.notes)[before:] == ["hello"]


# Servers that misbehave


def test_lines_that_are_no_messages_are_passed_over(connect: Connect) -> None:
    """Logs on stdout are against the protocol, and common."""
    garbage = connect(program("garbage"))
    assert garbage.tools() == [
        {"name": "echo", "inputSchema": {"type": "object", "properties": {}}}
    ]
    assert call(garbage, "echo", a=1) == {"a": 1}


def test_a_server_that_only_talks_garbage_is_told(connect: Connect) -> None:
    """Else nobody knew why there is no answer."""
    script = "echo 'Hello from npm!'; cat > /dev/null"
    command = ("/bin/sh", "-c", script)
    endpoint = Endpoint(name="npm", command=command, env={"PATH": os.environ["PATH"]}, timeout=1.0)
    assert failure(connect(endpoint).tools)["message"] == (
        "the MCP server npm did not answer within 1 s;"
        " it wrote something else than JSON-RPC to stdout: Hello from npm!"
    )


@pytest.mark.parametrize("arguments", [[], ["--touchy"]])
def test_w9_the_version_of_the_protocol_is_negotiated(
    connect: Connect, arguments: list[str]
) -> None:
    """Also with a server of the first version, and with one that dies of what it does not know."""
    assert call(connect(program("old", *arguments)), "echo", a=1) == {"a": 1}


@pytest.mark.parametrize(
    ("ask", "params", "answer"),
    [
        ("ping", {}, {"result": {}}),
        ("roots/list", {}, -32600),
        ("sampling/createMessage", {"messages": [], "maxTokens": 1}, -32600),
        ("elicitation/create", {"message": "?", "requestedSchema": {}}, -32601),
        ("no/such", {}, -32601),
    ],
)
def test_w9_what_a_server_asks_is_answered_or_declined(
    connect: Connect, ask: str, params: Json, answer: Json
) -> None:
    """Upstream leaves such a server waiting for ever."""
    said = call(connect(program("old")), "echo", ask=ask, params=params)
    assert isinstance(said, dict)
    if isinstance(answer, dict):
        assert said == {"jsonrpc": "2.0", "id": "question", **answer}
    else:
        error = said["error"]
        assert isinstance(error, dict)
        assert error["code"] == answer


def test_nothing_is_printed_whatever_happens() -> None:
    """The SDK's logs stay where they are."""
    code = f"""
import sys
from kosmo_lua.errors import KosmoError
from kosmo_lua.mcp.connections import Connections
from kosmo_lua.mcp.server import Endpoint
connections = Connections(lambda *told: None)
for name, tool in (("garbage", "echo"), ("dies", "echo"), ("library", "crash")):
    command = (sys.executable, "{SERVERS}/" + name + ".py")
    endpoint = Endpoint(name=name, command=command, env={{"NOTES": "/dev/null"}})
    try:
        connections.to(lambda: endpoint, name).call_tool(tool, {{}}, lambda: None)
    except KosmoError as error:
        print(error.code)
connections.close()
"""
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == ("unreachable\nunreachable\n", "")


def test_importing_the_connections_imports_neither_the_sdk_nor_an_event_loop() -> None:
    """Who contacts no server never pays."""
    code = "import kosmo_lua.mcp.connections, sys; print({'mcp', 'asyncio', 'httpx'} & set(sys.modules))"
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "set()\n"


def test_without_the_extra_the_error_says_how_to_install_it(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything else is looked at."""
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(ExtraMissing) as caught:
        connect(program("old")).tools()
    assert caught.value.hint == 'pip install "kosmo-lua[mcp]"'


# Addresses


def test_headers_are_sent_with_every_request(
    connect: Connect, served: Callable[..., Endpoint]
) -> None:
    """A wrong token is a clear error, and is not shown."""
    endpoint = served(TOKEN="right-token")
    right = replace(endpoint, headers={"Authorization": "Bearer right-token", "X-Team": "a"})
    headers = call(connect(right), "headers")
    assert isinstance(headers, dict)
    assert (headers["authorization"], headers["x-team"]) == ("Bearer right-token", "a")
    wrong = {"Authorization": "Bearer wrong-token"}
    refused = connect(replace(endpoint, headers=wrong, secrets=("wrong-token",)))
    with pytest.raises(KosmoError) as caught:
        refused.tools()
    error = caught.value
    assert error.hint == (
        "Check the headers of the server: it wants a valid token, such as in Authorization."
    )
    assert failure(refused.tools) == {
        "code": "service_error",
        "effect": "none",
        "message": "the MCP server library answered 401: invalid_token",
        "status": 401,
        "details": None,
    }


@over_http
def test_a_redirect_to_the_same_place_is_followed(library: Library, connect: Connect) -> None:
    """Many servers answer so to a slash too many."""
    tools = connect(replace(library.endpoint, url=f"{library.endpoint.url}/")).tools()
    assert [tool["name"] for tool in tools] == TOOLS


@over_http
def test_arguments_that_the_server_wants_as_headers_are_sent_so(
    library: Library, connect: Connect
) -> None:
    """Though nobody has listed its tools before."""
    headers = call(connect(library.endpoint), "headers", shelf="top")
    assert isinstance(headers, dict)
    assert headers["mcp-param-shelf"] == "top"


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        (reply(403), ("service_error", 403, "answered 403")),
        (reply(404), ("unreachable", 404, "answered 404")),
        (reply(500, {"message": "oh no"}), ("service_error", 500, "answered 500: oh no")),
        (reply(429, Retry_After="7"), ("rate_limited", 429, "answered 429")),
        (
            reply(307, Location="http://127.0.0.2/mcp"),
            ("service_error", 307, "answered 307: a redirect, which is not followed"),
        ),
        (
            reply(302, Location="/mcp"),
            ("service_error", 302, "answered 302: a redirect, which is not followed"),
        ),
        (
            reply(200, {"hello": 1}, Content_Type="application/json"),
            ("service_error", None, "refused"),
        ),
        (reply(200, Content_Type="text/html"), ("service_error", None, "refused")),
        (b"", ("unreachable", None, "cut the connection before it answered")),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            ("unreachable", None, "cut the connection before it answered"),
        ),
    ],
)
def test_an_address_that_does_not_speak_the_protocol_is_told(
    connect: Connect, server: RawServer, answer: bytes, facts: tuple[Json, ...]
) -> None:
    """With the status, and never with an effect: no call was made."""
    is_http = answer.startswith(b"HTTP")
    server.steps = [Step(answer, then="keep" if is_http else "close")] * 10
    got = failure(connect(Endpoint(name="web", url=f"{server.url}/mcp", timeout=5.0)).tools)
    assert (got["code"], got["status"]) == facts[:2]
    assert str(got["message"]).startswith(f"the MCP server web {facts[2]}")
    assert got["effect"] == "none"


def test_no_cookie_is_kept(connect: Connect, server: RawServer) -> None:
    """A server gets the headers of its definition, and nothing by which others could follow its calls."""
    error: dict[str, Json] = {"code": -32601, "message": "no"}
    server.usual = reply(
        200,
        {"jsonrpc": "2.0", "id": 1, "error": error},
        Content_Type="application/json",
        Set_Cookie="follow=me; Path=/",
    )
    failure(connect(Endpoint(name="web", url=f"{server.url}/mcp", timeout=1.0)).tools)
    assert len(server.requests) > 1
    assert not [each for each in server.requests if b"\r\ncookie:" in each.lower()]


def test_an_address_where_nobody_listens_is_unreachable(
    connect: Connect, server: RawServer
) -> None:
    """Nothing was sent."""
    server.close()
    facts = failure(connect(Endpoint(name="web", url=f"{server.url}/mcp")).tools)
    where = server.url.removeprefix("http://")
    assert (facts["code"], facts["effect"]) == ("unreachable", "none")
    assert str(facts["message"]).startswith(f"the MCP server web cannot be reached at {where}: ")


def test_a_session_that_the_server_has_ended_is_begun_anew(
    connect: Connect, served: Callable[..., Endpoint], tmp_path: Path
) -> None:
    """It has not looked at the call, which is then sent once more, and done once."""
    notes = tmp_path / "notes"
    endpoint = served("--legacy", NOTES=str(notes))
    library = connect(endpoint)
    headers = call(library, "headers")
    assert isinstance(headers, dict)
    name = {"mcp-session-id": str(headers["mcp-session-id"])}
    assert httpx.delete(str(endpoint.url), headers=name).status_code == 200
    told: list[bool] = []
    note: dict[str, Json] = {"text": "once"}
    assert library.call_tool("note", note, lambda: told.append(True)) == "noted"
    assert (told, lines_of(notes)) == ([True], ["once"])


def test_a_header_that_cannot_be_sent_is_a_config_error(connect: Connect) -> None:
    """Its value is not shown."""
    headers = {"Authorization": "Bearer \u2603"}
    with pytest.raises(ConfigError) as caught:
        connect(Endpoint(name="web", url="http://127.0.0.1:1/", headers=headers)).tools()
    assert caught.value.message == "the MCP server web has a header that cannot be used"


def test_a_server_that_ends_in_the_middle_of_a_call_over_http_leaves_it_open(
    connect: Connect, served: Callable[..., Endpoint], tmp_path: Path
) -> None:
    """It was sent once; afterwards nobody listens."""
    notes = tmp_path / "notes"
    endpoint = served(NOTES=str(notes))
    library = connect(endpoint)
    assert failure(lambda: call(library, "crash")) == {
        "code": "unreachable",
        "effect": "unknown",
        "message": "the MCP server library cut the connection before it answered",
        "status": None,
        "details": None,
    }
    assert lines_of(notes) == ["crash"]
    poll(lambda: not is_listening(str(endpoint.url)))
    assert failure(lambda: call(library, "echo", text="x"))["effect"] == "none"


def is_listening(url: str) -> bool:
    """Whether anybody accepts connections there."""
    address = httpx.URL(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port or 80)) == 0
