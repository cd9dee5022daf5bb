"""Bad input: one clear sentence, the right exit status, one document, and nothing sent."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import COMMAND, Finished

from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]

SEGMENT = "app.integrations.segment"
GOOD = '{event = "E", userId = "u"}'


class Case(NamedTuple):
    """A command line that is wrong, and what is said about it."""

    name: str
    arguments: list[str]
    status: int
    code: str
    says: str
    stdin: bytes = b""
    env: dict[str, str] = {}  # noqa: RUF012  # never changed


def script(name: str, code: str, status: int, error: str, says: str, **env: str) -> Case:
    """Make the case of a script that is wrong."""
    return Case(name, ["--eval", code], status, error, says, env=env)


def call(name: str, arguments: str, says: str, function: str = "track") -> Case:
    """Make the case of a call whose arguments are wrong."""
    code = f"return {SEGMENT}.{function}({arguments})"
    return script(name, code, 65, "invalid_arguments", says)


def usage(name: str, *arguments: str, says: str, stdin: bytes = b"") -> Case:
    """Make the case of a command line that is wrong."""
    return Case(name, [*arguments], 2, "usage", says, stdin)


SEND = f"return {SEGMENT}.track({GOOD})"

CASES = [
    # The script
    script("syntax", "x = = 1", 1, "syntax_error", "eval:1: unexpected symbol near '='"),
    script("unfinished", "if x then", 1, "syntax_error", "'end' expected near <eof>"),
    script("bytecode", "\x1bLua", 1, "syntax_error", "attempt to load a binary chunk"),
    script("runtime", "\n\nfoo()", 1, "script_error", "eval:3: attempt to call a nil value"),
    script("own error", 'error("mine")', 1, "script_error", "eval:1: mine"),
    Case(
        "invalid UTF-8 in a file",
        ["latin1.lua"],
        1,
        "syntax_error",
        "latin1.lua:2: the script is not valid UTF-8",
    ),
    Case(
        "invalid UTF-8 on stdin",
        [],
        1,
        "syntax_error",
        "stdin:1: the script is not valid UTF-8",
        b"\xff",
    ),
    Case(
        "invalid UTF-8 in --eval",
        ["--eval", os.fsdecode(b"return '\xff'")],
        1,
        "syntax_error",
        "eval:1: the script is not valid UTF-8",
    ),
    # Where it comes from
    usage("no file", "nosuch.lua", says="Lua file not found: nosuch.lua"),
    usage("no folder", "nosuch/w.lua", says="Lua file not found: nosuch/w.lua"),
    usage("folder", "folder", says="cannot read folder: it is a directory, not a Lua file"),
    usage(
        "file as a folder",
        "latin1.lua/w.lua",
        says="cannot read latin1.lua/w.lua: Not a directory",
    ),
    usage("name too long", "x" * 5000, says="File name too long"),
    usage("empty name", "", says="Lua file not found"),
    usage("empty code", "--eval", "", says="there is no Lua code to run"),
    usage("blank code", "--eval", " \n\t", says="there is no Lua code to run"),
    usage("empty file", "empty.lua", says="there is no Lua code to run"),
    usage("empty stdin", says="there is no Lua code to run"),
    usage(
        "code and file",
        "--eval",
        "return 1",
        "w.lua",
        says="--eval and a file (w.lua) were both given",
    ),
    usage(
        "code and stdin", "--eval", "return 1", "-", says="--eval and a file (-) were both given"
    ),
    usage("two files", "a.lua", "b.lua", says="unexpected extra argument (b.lua)"),
    # The options
    usage("unknown option", "--evil", "1", says="No such option '--evil'"),
    usage("code twice", "--eval", "A", "-e", "B", says="-e / --eval is given twice"),
    usage("run twice", "--run=a", "--eval", "A", "--run=b", says="--run is given twice"),
    usage("flag twice", "-q", "--quiet", "--eval", "A", says="-q / --quiet is given twice"),
    usage("option as an ID", "--run", "--force", "--eval", "A", says="the ID of a run"),
    usage("no value", "--eval", says="Option '--eval' requires an argument"),
    *(
        usage(
            f"{option} {value}",
            option,
            value,
            "--eval",
            SEND,
            says=f"Invalid value for '{option}'",
        )
        for option, values in {
            "--cpu-limit": ["x", "", "0", "-1", "nan", "inf", "1s"],
            "--timeout": ["x", "0", "-inf"],
            "--memory-limit": ["x", "0", "-1", "1.5", "1e9", "32MB"],
        }.items()
        for value in values
    ),
    # What is called
    script(
        "unknown integration",
        "app.integrations.segmnt.track{}",
        65,
        "unknown_integration",
        "unknown integration segmnt. Did you mean: segment?",
    ),
    script(
        "unknown function",
        f"{SEGMENT}.trak{{}}",
        65,
        "unknown_function",
        "unknown function app.integrations.segment.trak. Did you mean: track, track_event?",
    ),
    script(
        "unknown account",
        f"{SEGMENT}.wrok.track{GOOD}",
        78,
        "unknown_account",
        "unknown account wrok of Segment. Did you mean: work?",
        KOSMO_SEGMENT__WORK__WRITE_KEY="k",
    ),
    script(
        "no account of that name",
        f"{SEGMENT}.x.y.track{GOOD}",
        78,
        "unknown_account",
        "unknown account x.y",
    ),
    script(
        "integration as a function",
        f"{SEGMENT}{GOOD}",
        65,
        "unknown_function",
        "segment is an integration, not a function",
    ),
    script("account as a function", f"{SEGMENT}.default{GOOD}", 65, "unknown_function", "default"),
    script(
        "no integration named",
        "app.segment.track{}",
        65,
        "unknown_function",
        "unknown function app.segment.track",
    ),
    script(
        "mcp",
        "app.mcp.github.search{}",
        65,
        "unknown_integration",
        "unknown MCP server github",
    ),
    script(
        "colon",
        f"{SEGMENT}:track{GOOD}",
        1,
        "script_error",
        "call it with a dot and not with a colon",
    ),
    # With what it is called
    call("nothing", "", "event is required"),
    call("missing", '{event = "E"}', "userId is required"),
    call("misspelt", '{evnt = "E", userId = "u"}', "unknown parameter evnt, did you mean event?"),
    call("surplus", '{event = "E", userId = "u", nonsense = 1}', "unknown parameter nonsense"),
    call("wrong type", '{event = 5, userId = "u"}', "event must be a string, got the number 5"),
    call("empty", '{event = "", userId = "u"}', "event must not be empty"),
    call("null", '{event = json.null, userId = "u"}', "event must be a string, got null"),
    call(
        "not a table",
        '{event = "E", userId = "u", properties = 5}',
        "properties must be a table with named fields, got the number 5",
    ),
    call("twice", '{event = "E", userId = "u", user_id = "v"}', "userId is given twice"),
    call("text", '"E"', "userId is required"),
    call("list", "{1, 2}", "arguments are a table with names"),
    call("too many", '"E", "u", {}, 4', "it takes 3 arguments (event, userId, properties), got 4"),
    call("NaN", '{event = "E", userId = "u", properties = {x = 0/0}}', "properties.x is NaN"),
    call(
        "infinity",
        '{event = "E", userId = "u", properties = {x = {1, 1/0}}}',
        "properties.x[2] is inf",
    ),
    script(
        "cyclic",
        f"local t = {GOOD} t.properties = {{me = t}} return {SEGMENT}.track(t)",
        65,
        "invalid_arguments",
        "properties.me refers back",
    ),
    script(
        "too deep",
        f"local t = {{}} for i = 1, 600 do t = {{x = t}} end return {SEGMENT}.track(t)",
        65,
        "invalid_arguments",
        "nested too deep",
    ),
    call(
        "function",
        '{event = "E", userId = "u", properties = {f = print}}',
        "properties.f is a function, which JSON cannot hold",
    ),
    call("bytes", r'{event = "\xff", userId = "u"}', "event is a string that is not valid UTF-8"),
    call("mixed keys", '{event = "E", userId = "u", properties = {[true] = 1}}', "cannot use"),
    call(
        "over 32 KB",
        '{event = "E", userId = "u", properties = {x = ("y"):rep(33000)}}',
        "Segment takes at most 32,768",
    ),
    call(
        "too many for none",
        '"a", "b"',
        "it takes no arguments, got 2",
        function="get_current_user",
    ),
    # With which settings
    script(
        "no write key",
        SEND,
        78,
        "credentials_missing",
        "the account default of Segment has no write key",
        KOSMO_SEGMENT_WRITE_KEY="",
    ),
    script(
        "no token",
        f"return {SEGMENT}.get_current_user()",
        78,
        "credentials_missing",
        "has no api token",
        KOSMO_SEGMENT_API_TOKEN="",
    ),
    script(
        "bad region", SEND, 78, "config_error", "KOSMO_SEGMENT_REGION", KOSMO_SEGMENT_REGION="mars"
    ),
    script(
        "bad URL",
        SEND,
        78,
        "config_error",
        "KOSMO_SEGMENT_TRACKING_URL must start with https://",
        KOSMO_SEGMENT_TRACKING_URL="http://example.com",
    ),
    script(
        "bad key",
        SEND,
        78,
        "config_error",
        "KOSMO_SEGMENT_WRITE_KEY contains characters",
        KOSMO_SEGMENT_WRITE_KEY="\u201ckey\u201d",
    ),
    script(
        "bad policy",
        SEND,
        78,
        "config_error",
        "KOSMO_SEGMENT_WRITE must be allow, ask or deny",
        KOSMO_SEGMENT_WRITE="yes",
    ),
    script(
        "nobody to ask", SEND, 77, "approval_required", "needs approval", KOSMO_SEGMENT_WRITE="ask"
    ),
    script("denied", SEND, 77, "denied", "KOSMO_SEGMENT_WRITE=deny", KOSMO_SEGMENT_WRITE="deny"),
    # The helpers
    script("unknown page", 'docs.read("segment.trak")', 65, "invalid_arguments", "trak"),
    script("no page", "docs.read()", 65, "invalid_arguments", "docs.read takes a text"),
    script(
        "bad JSON",
        'local x = json.decode("[1,]")',
        1,
        "script_error",
        "eval:1: json.decode: line 1, column 4: ",
    ),
    script(
        "bad pattern",
        'local x = regex.match("x", "(")',
        65,
        "invalid_arguments",
        "regex.match: the pattern is not valid",
    ),
    script(
        "slow pattern",
        'local x = regex.match(("a"):rep(40) .. "!", "^(a|aa)+$")',
        1,
        "regex_timeout",
        "regex.match: the pattern took longer than",
    ),
]


@pytest.fixture
def files(tmp_path: Path) -> None:
    """Lay out the files that the cases name."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.lua").touch()
    (tmp_path / "latin1.lua").write_bytes(b"local s =\n'caf\xe9'")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused(kosmo: Kosmo, kosmo_emulator: Emulator, case: Case) -> None:
    """The card: one document with one sentence and a code, the exit status of it, nothing sent."""
    done = kosmo("integrations:lua", "--json", *case.arguments, stdin=case.stdin, env=case.env)
    document = done.json()
    assert (done.status, document["error_info"]["code"]) == (case.status, case.code)
    assert case.says in document["error"]
    assert "\n" not in document["error"]
    assert (document["success"], document["result"], done.stderr) == (False, None, "")
    assert {entry["effect"] for entry in document["call_log"]} <= {"none"}
    assert kosmo_emulator.events() == []


TEXT = [
    "runtime",
    "no file",
    "--cpu-limit x",
    "misspelt",
    "no write key",
    "invalid UTF-8 in a file",
]


@pytest.mark.usefixtures("files", "kosmo_emulator")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name in TEXT], ids=lambda case: case.name
)
def test_bad_input_is_said_to_people(kosmo: Kosmo, case: Case) -> None:
    """The card: without --json nothing is on stdout, and the sentence is on stderr."""
    done = kosmo("integrations:lua", *case.arguments, stdin=case.stdin, env=case.env)
    assert (done.status, done.stdout) == (case.status, "")
    assert done.stderr.startswith("error: ")
    assert case.says in done.stderr.partition("\n")[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["--nosuch"], "No such option '--nosuch'"),
        (["emulator", "--port", "x"], "Invalid value for '--port'"),
        (["emulator", "--port", "65536"], "Invalid value for '--port'"),
        (["emulator", "more"], "unexpected extra argument (more)"),
        (["mcp:lua", "--run", "a", "--run", "b"], "--run is given twice"),
    ],
)
def test_wrong_command_is_one_document_too(kosmo: Kosmo, arguments: list[str], says: str) -> None:
    """Ours: whatever the command line is, --json means one document."""
    done = kosmo(*arguments, "--json")
    assert (done.status, done.stderr) == (2, "")
    assert done.json()["error_info"]["code"] == "usage"
    assert says in done.json()["error"]


def test_stdin_that_cannot_be_read_is_said(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    """Ours: nohup gives a command a stdin that can only be written to."""
    with Path(os.devnull).open("wb") as unreadable:
        running = start("integrations:lua", "-", stdin=unreadable.fileno())
    stdout, stderr = running.communicate()
    assert (running.returncode, stdout) == (2, b"")
    assert stderr.startswith(b"error: cannot read stdin: Bad file descriptor\n")


class Outcome(NamedTuple):
    """What a service does, and what becomes of a run of one call, and of one that has written before."""

    fault: dict[str, object]
    status: int
    again: int
    code: str
    effect: str
    says: str


HTML = "<!doctype html><h1>Bad gateway</h1>"

OUTCOMES = {
    "HTML error page": Outcome(
        {"status": 502, "body": HTML},
        69,
        3,
        "service_error",
        "sent",
        "Segment answered 502: an HTML page",
    ),
    "HTML instead of JSON": Outcome(
        {"status": 200, "body": HTML},
        69,
        69,
        "service_error",
        "sent",
        "but not with JSON: an HTML page",
    ),
    "refused": Outcome({"status": 400}, 69, 69, "service_error", "sent", "Segment answered 400"),
    "overloaded": Outcome({"status": 503}, 69, 3, "service_error", "sent", "Segment answered 503"),
    "slow down": Outcome(
        {"retry_after": 7}, 75, 3, "rate_limited", "sent", "Segment answered 429"
    ),
    "cut off": Outcome(
        {"cut": "after"}, 3, 3, "unreachable", "unknown", "cut the connection before it answered"
    ),
}


class TestService:
    """What is wrong on the other side."""

    @pytest.mark.parametrize("name", OUTCOMES)
    def test_failure_of_the_service_is_told(
        self, kosmo: Kosmo, kosmo_emulator: Emulator, name: str
    ) -> None:
        """Ours: what it answered, and 3 where a second run would repeat a write."""
        expected = OUTCOMES[name]
        kosmo_emulator.fault(**expected.fault)  # type: ignore[arg-type]  # its fields
        done = kosmo("integrations:lua", "--json", "--eval", SEND)
        info = done.json()["error_info"]
        assert (done.status, info["code"]) == (expected.status, expected.code)
        assert info["effect"] == expected.effect
        assert done.json()["call_log"][0]["effect"] == expected.effect
        assert expected.says in done.json()["error"]
        kosmo_emulator.fault(**expected.fault, path="/v1/page")  # type: ignore[arg-type]  # its fields
        code = f'{SEGMENT}.track({GOOD}) {SEGMENT}.page{{name = "P", userId = "u"}}'
        assert kosmo("integrations:lua", "--eval", code).status == expected.again

    def test_network_that_refuses_is_told(self, kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
        """The card: nothing was sent, and the run may be repeated."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
        done = kosmo(
            "integrations:lua",
            "--json",
            "--eval",
            SEND,
            env={"KOSMO_SEGMENT_TRACKING_URL": nobody},
        )
        document = done.json()
        assert (done.status, document["error_info"]["code"]) == (69, "unreachable")
        assert document["error_info"]["effect"] == "none"
        assert document["error_info"]["retryable"] is True
        assert (
            f"cannot connect to {nobody.removeprefix('http://')}: Connection refused"
            in document["error"]
        )
        assert document["meta"]["calls"]["wrote"] == 0
        assert kosmo_emulator.events() == []


REMOVED = 'mkdir removed && cd removed && rmdir ../removed && exec "$@"'
"""Runs a command in a folder that is no longer there."""


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["integrations:lua", "--eval", "return 1", "--record", "calls"], "calls"),
        (["integrations:lua", "--eval", "return 1", "--replay", "calls"], "calls"),
        (["integrations:configure", "segment", "--project", "--write", "ask"], "kosmo.toml"),
        (["mcp:import", "servers.json"], "servers.json"),
        (["mcp:export", "--path", "servers.json"], "servers.json"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_path_in_a_folder_that_was_removed_is_told(
    start: Callable[..., "subprocess.Popen[bytes]"], arguments: list[str], path: str
) -> None:
    """Ours: it is no defect of kosmo, and the hint says what to do."""
    running = start(*arguments, program=["sh", "-c", REMOVED, "sh", *COMMAND])
    stdout, stderr = running.communicate(timeout=20)
    said = f"error: {path} leads nowhere: the current folder was removed\n"
    hint = "hint: Change to a folder that is there.\n"
    assert (running.returncode, stdout, stderr.decode()) == (78, b"", said + hint)


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("lua", "integrations:lua, mcp:lua"),
        ("doctr", "integrations:doctor, mcp:doctor, integrations:docs"),
        ("emulater", "emulator"),
        ("secret:set", "mcp:secret:set, mcp:secret:unset, mcp:secret:list"),
        ("account:remove", "accounts:remove, mcp:remove, accounts:show"),
    ],
)
def test_unknown_command_is_told_with_those_that_may_be_meant(
    kosmo: Kosmo, command: str, meant: str
) -> None:
    """Ours: also by the word after the colon alone."""
    said = f"error: No such command '{command}'. Did you mean: {meant}?\n"
    assert kosmo(command, "--force") == Finished(2, "", f"{said}hint: Try 'kosmo --help'.\n")
