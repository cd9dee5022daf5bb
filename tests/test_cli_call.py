"""One call from the command line: integrations:call, and its short form integrations:PROVIDER."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import odd_integration
import pytest
from conftest import COMMAND, Finished, poll, stable
from envelopes import assert_fits
from pseudo_terminal import Terminal

from kosmo_lua import Kosmo as Embedded
from kosmo_lua import KosmoError
from kosmo_lua.cli.parameters import parameters_of
from kosmo_lua.emulator import Emulator
from kosmo_lua.values import Json, JsonObject

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]
Echo = Callable[..., Any]

CALL = "integrations:call"
TRACK = ("segment.track", "--event", "Signed Up", "--user-id", "user-42")
META = {
    "run_id": "RUN",
    "waited_ms": 0.0,
    "permission_bypassed": False,
    "dry_run": False,
    "calls": {"total": 1, "reads": 0, "writes": 1, "failed": 0, "unknown": 0, "wrote": 1},
}


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install an integration that says what it is told, where the command finds it."""
    odd_integration.install(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def echo(kosmo: Kosmo, odd: None) -> Echo:
    """Call `odd.echo`; return what it was told, or the document of a failure."""
    del odd

    def echo(*arguments: str, function: str = "odd.echo", stdin: bytes = b"") -> Any:
        done = kosmo(CALL, function, *arguments, "--json", stdin=stdin)
        document = done.json()
        assert_fits(CALL, document)
        return (
            document["data"]
            if document["success"]
            else document["error_info"]
            | {
                "error": document["error"],
                "exit_status": done.status,
            }
        )

    return echo


def test_envelope_of_a_call(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: one family with the envelope of a script."""
    done = kosmo(CALL, *TRACK, "--json")
    assert (done.status, done.stderr) == (0, "")
    assert_fits(CALL, done.json())
    assert stable(done.json()) == {
        "schema_version": 1,
        "success": True,
        "function": "segment.track_event",
        "account": "default",
        "data": {"success": True, "message_id": "UUID"},
        "error": None,
        "error_info": None,
        "warnings": [],
        "execution_time_ms": 1.0,
        "call_log": [
            {
                "function": "segment.track_event",
                "account": "default",
                "access": "write",
                "effect": "sent",
                "status": 200,
                "attempts": 1,
                "duration_ms": 1.0,
                "error": None,
                "retries": [],
                "events": None,
            }
        ],
        "meta": META,
    }
    event: Any = kosmo_emulator.events()[0]
    assert (event["message"]["event"], event["message"]["userId"]) == ("Signed Up", "user-42")


def test_for_people_the_data_is_on_stdout_and_the_error_on_stderr(kosmo: Kosmo) -> None:
    """W12: errors went to stdout."""
    done = kosmo(CALL, "segment.get_current_user", "--emulator")
    assert (done.status, done.stderr, json.loads(done.stdout)["slug"]) == (0, "", "my-workspace")
    failed = kosmo(CALL, "segment.track", "--emulator")
    assert (failed.status, failed.stdout) == (65, "")
    assert failed.stderr.startswith("error: segment.track_event: event is required")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (['{"event": "E", "userId": "00123"}'], b""),
        (["-"], b'{"event": "E", "userId": "00123"}'),
        ([], b'{"event": "E", "userId": "00123"}'),
        (["--event", "E", "--user-id", "00123"], b"{not read}"),
        (["--event=E", "--userId=00123"], b""),
        (["--arg", "event=E", "--arg", "user-id=00123"], b""),
        (['{"event": "E"}', "--user_id", "00123"], b""),
        (['{"event": "E"}', "--arg", "user_id=00123"], b""),
    ],
)
def test_arguments_are_json_stdin_flags_or_a_mixture(
    kosmo: Kosmo, kosmo_emulator: Emulator, arguments: list[str], stdin: bytes
) -> None:
    """Upstream: payload, piped payload, `--key value`, `--key=value`, `--arg k=v`."""
    done = kosmo(CALL, "segment.track", *arguments, stdin=stdin)
    assert (done.status, done.stderr) == (0, "")
    event: Any = kosmo_emulator.events()[0]
    assert (event["message"]["event"], event["message"]["userId"]) == ("E", "00123")


@pytest.mark.parametrize(
    "text", ["00123", "1e3", "+1555", "null", "true", "12345678901234567890", ""]
)
def test_w5_a_text_stays_what_it_is(echo: Echo, text: str) -> None:
    """W5: 00123 became 123, +1555 an integer, 1e3 1000, a long id 9223372036854775807, null null."""
    told = echo("--text", text, "--either", text, "--arg", f"tags={text}")
    assert told == {"text": text, "either": text, "tags": [text]}


@pytest.mark.parametrize(
    ("arguments", "data"),
    [
        (["--count", "12345678901234567890"], {"count": 12345678901234567890}),
        (["--count", "-3"], {"count": -3}),
        (["--ratio", "1e3"], {"ratio": 1000.0}),
        (["--ratio", "2"], {"ratio": 2.0}),
        (["--on"], {"on": True}),
        (["--on", "--text", "x"], {"on": True, "text": "x"}),
        (["--on=false"], {"on": False}),
        (["--on", "false"], {"on": False}),
        (["--mode", "slow"], {"mode": "slow"}),
        (["--level", "2"], {"level": 2}),
        (["--tags", "a", "--tags", "[b"], {"tags": ["a", "[b"]}),
        (["--tags", '["a", "b"]'], {"tags": ["a", "b"]}),
        (["--tags", "007"], {"tags": ["007"]}),
        (["--sizes", "1", "--sizes", "2"], {"sizes": [1, 2]}),
        (["--arg", "sizes=1", "--arg", "sizes=2"], {"sizes": [1, 2]}),
        (["--traits", '{"plan": {"a": [1.5, null]}}'], {"traits": {"plan": {"a": [1.5, None]}}}),
        (["--mixed", "1"], {"mixed": 1}),
        (["--mixed", "true"], {"mixed": True}),
        (["{}"], {}),
        ([], {}),
    ],
)
def test_flags_are_typed_by_the_schema(echo: Echo, arguments: list[str], data: Any) -> None:
    """The card: numbers, switches, choices, lists, objects, and what may be null."""
    assert echo(*arguments) == data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "00123"], 'count must be a whole number, got the string "00123"'),
        (["--count", "1e3"], 'count must be a whole number, got the string "1e3"'),
        (["--count", "many", "--on=maybe"], "on must be true or false"),
        (["--mode", "fst"], "mode should be 'fast' or 'slow', got the string \"fst\""),
        (["--sizes", "1", "--sizes", "x"], 'must be a whole number, got the string "x"'),
        (["--traits", "x"], 'traits must be a table with named fields, got the string "x"'),
        (["--traits", "{'a': 1}"], "traits is not valid JSON"),
        (["--traits", '{"a": 1, "a": 2}'], "'a' is there twice"),
        (["--text", "x", "--arg", "text=y"], "text is given twice, as a flag and with --arg"),
        (["--arg", "text=x", "--arg", "text=y"], "text is given twice, with --arg"),
        (['{"text": "x"}', "--text", "y"], "text is given twice, in the JSON and as a flag"),
        (["--arg", "txt=x"], "unknown parameter txt, did you mean text?"),
        (['{"txt": 1}'], "unknown parameter txt, did you mean text?"),
        (["{text}"], "the payload is not valid JSON"),
        (['{"text": "a", "text": "b"}'], "'text' is there twice"),
        (['{"ratio": NaN}'], "NaN is no number of JSON"),
        (["[" * 100_000], "nested too deeply"),
        (['{"text": "\\ud800"}'], "not valid JSON: \\ud800 alone is no character"),
        (['{"count": ' + "9" * 5000 + "}"], "JSON: a number of 5,000 digits is too long"),
        (
            ['{"text": 1 "count": 2}'],
            "not valid JSON: expecting ',' delimiter in line 1, column 12",
        ),
        (
            [os.fsdecode(b'{"text": "\xff"}')],
            "the payload is not valid JSON: it is not valid UTF-8",
        ),
        (["--traits", '{"a": ' * 600 + "1" + "}" * 600], "odd.echo: traits is nested too deep"),
        (["[1]"], "the payload must be a JSON object, got a list"),
        (["7"], "the payload must be a JSON object, got the number 7"),
        ([""], "the payload is not valid JSON: it is empty"),
        (["-"], "the payload is not valid JSON: it is empty"),
        (["--text", os.fsdecode(b"\xff")], "text is not valid UTF-8"),
    ],
)
def test_a_wrong_argument_is_one_clear_sentence(
    echo: Echo, arguments: list[str], words: str
) -> None:
    """The card: nothing is guessed, and the validation is that of every call."""
    failure = echo(*arguments)
    assert (failure["code"], failure["exit_status"]) == ("invalid_arguments", 65)
    assert failure["error"].startswith("odd.echo: ")
    assert words in failure["error"]
    assert (failure["function"], failure["effect"]) == ("odd.echo", "none")


PROPERTIES = """(for example --properties '{"revenue": 99.99}')"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--event", "E", "--userId", "u", "--properties", "x"],
            ['properties must be a table with named fields, got the string "x"', PROPERTIES],
        ),
        (
            ['{"event": 1, "userId": "u"}'],
            ["event must be a string, got the number 1", "(write --event 1)"],
        ),
    ],
)
def test_example_of_an_argument_is_a_flag(
    kosmo: Kosmo, arguments: list[str], says: list[str]
) -> None:
    """Ours: who calls a function from a shell need not know Lua."""
    done = kosmo(CALL, "segment.track", "--emulator", *arguments)
    assert done == Finished(65, "", f"error: segment.track_event: {' '.join(says)}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--modes", "x"], "No such option '--modes'. Did you mean '--mode'?"),
        (["--text", "x", "--text", "y"], "--text is given twice"),
        (["--account", "a", "--account", "b"], "--account is given twice"),
        (["--arg", "text"], "--arg takes NAME=VALUE, got text"),
        (["{}", "{}"], "Got unexpected extra argument ({})"),
    ],
)
def test_w12_a_wrong_command_line_is_an_envelope_too(
    echo: Echo, arguments: list[str], words: str
) -> None:
    """W12: usage errors broke --json; click's sentence is kept, with its suggestion."""
    failure = echo(*arguments)
    assert (failure["code"], failure["exit_status"]) == ("usage", 2)
    assert words in failure["error"]


@pytest.mark.parametrize(
    ("schema", "texts", "value"),
    [
        ({"type": ["integer", "null"]}, ["null"], None),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, ["1.5"], 1.5),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, ["null"], "null"),
        ({"oneOf": [{"$ref": "#/$defs/Size"}, {"type": "boolean"}]}, ["3"], 3),
        ({"allOf": [{"$ref": "#/$defs/Size"}]}, ["3"], 3),
        ({"enum": [1, 2]}, ["2"], 2),
        ({"enum": ["1", 2]}, ["2"], "2"),
        ({"const": True}, ["true"], True),
        ({"type": "array", "items": {"$ref": "#/$defs/Size"}}, ["1", "2"], [1, 2]),
        ({"type": "array"}, ["1", "a"], ["1", "a"]),
        ({"type": ["string", "array"]}, ["[1]"], "[1]"),
        ({"type": ["string", "array"]}, ["a", "b"], ["a", "b"]),
        ({"anyOf": [{"type": "integer"}, {}]}, ["5"], "5"),
        ({}, ["00123"], "00123"),
        ({"type": "integer"}, ["9" * 5000], "9" * 5000),
    ],
)
def test_any_json_schema_says_what_a_text_is(
    schema: JsonObject, texts: list[str], value: Json
) -> None:
    """Ours: a server's schema may be written in any of these ways; where a string may be, it is one."""
    definitions: JsonObject = {"Size": {"type": "integer"}}
    whole: JsonObject = {"properties": {"it": schema}, "$defs": definitions}
    assert parameters_of(whole)["it"].value(texts) == value


def test_both_spellings_of_one_flag_are_one_flag(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """Ours: which of two values was meant nobody can know."""
    done = kosmo(CALL, *TRACK, "--userId", "other")
    assert (done.status, kosmo_emulator.events()) == (2, [])
    assert "--userId is given twice" in done.stderr.replace(" / --user-id / --user_id", "")


def test_w5_a_parameter_may_have_the_name_of_an_option(kosmo: Kosmo, echo: Echo) -> None:
    """W5: --format, --timeout and --pretty were dropped; our own options leave --arg and JSON."""
    flags = ["--format", "text", "--timeout", "5", "--pretty"]
    assigned = [f"--arg={name}=x" for name in ("json", "account", "force", "dry_run")]
    assert echo(*flags, *assigned, function="odd.names") == {
        "json": "x",
        "account": "x",
        "force": "x",
        "dry_run": "x",
        "format": "text",
        "timeout": 5,
        "pretty": True,
    }
    shown = kosmo(CALL, "odd.names", "--help").stdout
    assert "Only with --arg, or in JSON: account, force, json." in shown


def test_closed_stdin_is_said(tmp_path: Path) -> None:
    """The card: nothing is sent, and nothing waits."""
    odd_integration.install(tmp_path)
    for arguments, status in (["-"], 2), ([], 0):
        command = [*COMMAND, CALL, "odd.echo", *arguments, "--json"]
        script = "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
        done = subprocess.run(  # noqa: S603  # our own command
            [sys.executable, "-c", script, *command],
            capture_output=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
        document = json.loads(done.stdout)
        assert_fits(CALL, document)
        assert (done.returncode, document["success"]) == (status, not arguments)


def test_help_documents_every_parameter(kosmo: Kosmo) -> None:
    """The card: type, default and description, from the schema."""
    done = kosmo("integrations:posthog", "create_feature_flag", "--help")
    shown = " ".join(done.stdout.split())
    assert done.status == 0
    for words in (
        "Usage: kosmo integrations:posthog create_feature_flag [OPTIONS] [JSON | -]",
        "--name TEXT Human-readable name for the feature flag",
        "[required]",
        "--active [true|false] Whether the flag is on (true) or off (false). [default: true]",
        "--filters JSON Conditions for targeting",
        "--rollout_percentage, --rollout-percentage INTEGER Percentage of users",
        "--dry-run Show the request, send nothing.",
    ):
        assert words in shown


def test_short_form_calls_the_functions_of_one_integration(
    kosmo: Kosmo, kosmo_emulator: Emulator
) -> None:
    """Upstream: integrations:PROVIDER FUNCTION; options may stand before the function."""
    for arguments in (
        ["track", *TRACK[1:]],
        ["--json", "--account", "default", "segment_track_event", *TRACK[1:]],
    ):
        assert kosmo("integrations:segment", *arguments).status == 0
    assert kosmo(CALL, "--json", *TRACK).json()["success"]
    assert len(kosmo_emulator.events()) == 3


def test_short_form_alone_shows_the_docs(kosmo: Kosmo) -> None:
    """Upstream: without a function, the page of the provider."""
    assert kosmo("integrations:segment") == kosmo("integrations:docs", "segment")
    document = kosmo("integrations:segment", "--json").json()
    assert_fits("integrations:docs", document)
    assert document["page"] == "segment"


@pytest.mark.parametrize(
    ("arguments", "code", "status", "words"),
    [
        ([CALL, "segment.trak"], "unknown_function", 65, "Did you mean: track"),
        ([CALL, "segmnt.track"], "unknown_integration", 65, "Did you mean: segment"),
        (["integrations:segment", "trak"], "unknown_function", 65, "Did you mean: track"),
        (["integrations:segmnt"], "unknown_integration", 65, "integrations:segment"),
        (["integrations:lst"], "unknown_integration", 65, "integrations:list"),
        ([CALL], "usage", 2, "Missing argument 'FUNCTION'"),
        ([CALL, "segment.group", "--account", "nope"], "unknown_account", 78, "Configured"),
        ([CALL, "segment.a.group", "--account", "b"], "usage", 2, "two accounts are named"),
        ([CALL, "segment.get_current_user"], "credentials_missing", 78, "no api token"),
    ],
)
def test_wrong_names_are_told_with_the_right_ones(
    kosmo: Kosmo, arguments: list[str], code: str, status: int, words: str
) -> None:
    """The card: errors of the call are those of every call, and exit with the status of their code."""
    done = kosmo(*arguments, "--json")
    assert (done.status, done.stderr) == (status, "")
    assert_fits(CALL, done.json())
    assert done.json()["error_info"]["code"] == code
    assert words in done.json()["error"]


def test_account_is_an_option_or_part_of_the_name(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: --account, as in Lua app.integrations.segment.work.track."""
    env = {"KOSMO_SEGMENT__WORK__WRITE_KEY": "emulator-write-key"}
    env["KOSMO_SEGMENT__WORK__TRACKING_URL"] = kosmo_emulator.url
    named = kosmo(CALL, *TRACK, "--account", "work", "--json", env=env).json()
    dotted = kosmo(CALL, "segment.work.track", *TRACK[1:], "--json", env=env).json()
    assert [named["account"], dotted["account"]] == ["work", "work"]
    assert len(kosmo_emulator.events()) == 2


class TestPermission:
    """Writes need approval, as everywhere."""

    def test_write_without_approval_is_not_sent(
        self, kosmo: Kosmo, kosmo_emulator: Emulator
    ) -> None:
        """The card: code 77, and the exact command that would allow it."""
        done = kosmo(CALL, *TRACK, "--json", env={"KOSMO_SEGMENT_WRITE": "ask"})
        assert (done.status, kosmo_emulator.events()) == (77, [])
        info = done.json()["error_info"]
        assert (info["code"], info["effect"]) == ("approval_required", "none")
        assert "integrations:call segment.track" in info["hint"]
        assert "--force" in info["hint"]

    def test_force_lifts_deny(self, kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
        """Upstream: --force, and the envelope says so."""
        env = {"KOSMO_SEGMENT_WRITE": "deny"}
        assert kosmo(CALL, *TRACK, env=env).status == 77
        done = kosmo(CALL, *TRACK, "--force", "--json", env=env)
        assert done.json()["meta"]["permission_bypassed"] is True
        assert len(kosmo_emulator.events()) == 1

    @pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 77)])
    def test_somebody_at_a_terminal_is_asked(
        self, terminal: Terminal, kosmo_emulator: Emulator, answer: str, status: int
    ) -> None:
        """The card: `ask` shows the function, the account and the arguments."""
        running = terminal.run(*TRACK, command=CALL)
        shown = terminal.wait_for("Allow it? [y/N/a], a: always for this run: ")
        assert "segment.track_event of the account default wants to write" in shown
        terminal.type(answer)
        assert running.wait(20) == status
        assert len(kosmo_emulator.events()) == (0 if status else 1)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_call_says_that_its_effect_is_unknown(
    start: Start, kosmo_emulator: Emulator, number: signal.Signals, status: int
) -> None:
    """Ours: who stops a write learns that it may have happened."""
    kosmo_emulator.fault(delay=60)
    running = start(CALL, *TRACK, "--json")
    poll(kosmo_emulator.events)
    running.send_signal(number)
    output, _ = running.communicate(timeout=20)
    document = json.loads(output)
    assert_fits(CALL, document)
    assert running.returncode == status
    info, (call,) = document["error_info"], document["call_log"]
    assert (info["code"], info["effect"], call["effect"]) == ("interrupted", "unknown", "unknown")
    assert call["error"]["code"] == "interrupted"


def test_result_that_json_cannot_hold_is_a_defect_of_the_integration(echo: Echo) -> None:
    """Ours: stdout is always one valid document."""
    failure = echo("--force", function="odd.number")
    assert (failure["code"], failure["exit_status"]) == ("internal", 70)


class TestDryRun:
    """--dry-run checks everything, shows the request, and sends nothing."""

    KEYS: ClassVar = {
        "KOSMO_SEGMENT_WRITE_KEY": "a-secret/write+key",
        "KOSMO_SEGMENT_API_TOKEN": "tiny",
        "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_secret",
        "KOSMO_POSTHOG_API_TOKEN": "phx_secret",
        "KOSMO_POSTHOG_PROJECT_ID": "7",
        "KOSMO_POSTHOG_URL": "https://posthog.example.com",
    }

    @pytest.fixture
    def plan(self, kosmo: Kosmo) -> Callable[..., Any]:
        """Dry-run a call with secrets; return the document."""

        def plan(*arguments: str, env: dict[str, str] | None = None) -> Any:
            done = kosmo(CALL, *arguments, "--dry-run", "--json", env={**self.KEYS, **(env or {})})
            assert_fits(CALL, done.json())
            secrets = ("secret", "tiny", "YS1zZWNyZXQ", "dGlueT")
            assert not [each for each in secrets if each in done.stdout + done.stderr]
            return done.json()

        return plan

    def test_request_is_shown_exactly_and_without_secrets(self, plan: Callable[..., Any]) -> None:
        """The card: method, URL, headers and body; every secret has the same length."""
        document = plan(*TRACK, "--properties", '{"note": "key a-secret/write+key"}', "--force")
        request = document["data"]["request"]
        assert list(request) == ["method", "url", "headers", "body"]
        assert request["method"] == "POST"
        assert request["url"] == "https://api.segment.io/v1/track"
        assert request["headers"]["Authorization"] == "Basic ********"
        assert request["headers"]["Content-Type"] == "application/json"
        assert request["body"]["properties"] == {"note": "key ********"}
        assert request["body"]["userId"] == "user-42"
        assert (document["meta"]["dry_run"], document["warnings"]) == (True, [])
        assert document["call_log"][0]["effect"] == "none"
        assert document["call_log"][0]["attempts"] == 0

    def test_key_in_a_body_and_a_short_key_are_masked(self, plan: Callable[..., Any]) -> None:
        """The card: PostHog takes its key in the body; a key of four characters is a key, too."""
        captured = plan("posthog.capture_event", "--event", "E", "--distinct-id", "u")
        assert captured["data"]["request"]["body"]["api_key"] == "********"
        token = plan("segment.get_current_user")["data"]["request"]["headers"]["Authorization"]
        assert token == "Bearer ********"

    def test_query_is_part_of_the_url(self, plan: Callable[..., Any]) -> None:
        """Ours: what is shown is what httpx would send."""
        request = plan("posthog.list_persons", "--search", "a b&c", "--limit", "5")["data"][
            "request"
        ]
        assert request["url"] == (
            "https://posthog.example.com/api/projects/7/persons/?limit=5&search=a+b%26c"
        )
        assert request["body"] is None

    def test_write_that_reads_first_says_so(self, plan: Callable[..., Any]) -> None:
        """Ours: the request after the first depends on an answer that nobody has."""
        document = plan(
            "posthog.update_feature_flag", "--flag-id=2", "--rollout-percentage=5", "--force"
        )
        assert document["data"]["request"]["method"] == "GET"
        (warning,) = document["warnings"]
        assert "reads first" in warning

    def test_missing_approval_is_a_warning_and_deny_is_not(self, plan: Callable[..., Any]) -> None:
        """The card: permission is checked as far as can be said."""
        asked = plan(*TRACK)
        assert asked["success"] is True
        assert "needs approval" in asked["warnings"][0]
        denied = plan(*TRACK, env={"KOSMO_SEGMENT_WRITE": "deny"})
        assert denied["error_info"]["code"] == "denied"

    def test_everything_else_is_checked(self, plan: Callable[..., Any]) -> None:
        """The card: arguments, account and credentials, as in a real call."""
        wrong = plan("segment.track", "--event", "E")
        missing = plan(*TRACK, env={"KOSMO_SEGMENT_WRITE_KEY": ""})
        assert wrong["error_info"]["code"] == "invalid_arguments"
        assert missing["error_info"]["code"] == "credentials_missing"

    def test_nothing_leaves_the_machine(self, kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
        """The card: for every function, read or write."""
        reference = Embedded().reference
        for function in [*TRACK], ["segment.list_sources", "--slug", "x"]:
            assert kosmo(CALL, *function, "--dry-run").status == 0
        with Embedded() as embedded:
            for name in ("segment", "posthog"):
                for example in reference.examples(name).examples:
                    arguments = json.loads(
                        example.command.partition("'")[2].rpartition("'")[0] or "{}"
                    )
                    result = embedded.attempt(example.function, arguments, dry_run=True)
                    assert (result.success, result.call_log[0].attempts) == (True, 0)
        assert kosmo_emulator.events() == []

    def test_for_people_it_looks_like_http(self, kosmo: Kosmo) -> None:
        """Ours: the first line is the request line, the body is below an empty one."""
        lines = kosmo(CALL, *TRACK, "--dry-run", "--force", env=self.KEYS).stdout.splitlines()
        assert lines[0] == "POST https://api.segment.io/v1/track"
        assert "Authorization: Basic ********" in lines
        assert json.loads("\n".join(lines[lines.index("") :]))["event"] == "Signed Up"

    def test_function_without_a_request_says_so(self, kosmo: Kosmo, odd: None) -> None:
        """Ours: not every integration speaks HTTP."""
        del odd
        done = kosmo(CALL, "odd.echo", "--dry-run")
        assert done == Finished(0, "The function sends no request.\n", "")


def test_programs_attempt_a_call_and_get_its_result() -> None:
    """Ours: Kosmo.attempt is the command; Kosmo.call raises."""
    with Embedded(emulator=True, environ={}) as kosmo:
        result = kosmo.attempt("segment.get_workspace", {"slug": "my-workspace"})
        assert (result.success, result.exit_status) == (True, 0)
        assert result.data == kosmo.call("segment.get_workspace", {"slug": "my-workspace"})
        failed = kosmo.attempt("segment.get_workspace", {"slug": "other"})
        assert failed.error_info is not None
        assert (failed.error_info.code, failed.exit_status) == ("invalid_arguments", 65)
        with pytest.raises(KosmoError) as caught:
            kosmo.call("segment.get_workspace", {"slug": "other"})
        assert caught.value.message == failed.error
