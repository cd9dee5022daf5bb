"""Runs that can be repeated: `--run ID` sends the same IDs and times, and services drop what they have."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from conftest import Finished, poll

from kosmo_lua import Kosmo, KosmoError, Result
from kosmo_lua.emulator import Emulator

TRACK = 'app.integrations.segment.track({event = "e", userId = "u"})'
CAPTURE = 'app.integrations.posthog.capture_event({event = "e", distinct_id = "u"})'

pytestmark = pytest.mark.usefixtures("kosmo_emulator", "home", "retries")

Start = Callable[..., subprocess.Popen[bytes]]


def run(code: str, run_id: str | None = "r", **options: Any) -> Result:
    """Run Lua code under the ID of a run."""
    with Kosmo(run_id=run_id, **options) as kosmo:
        result = kosmo.run(code)
    assert result.error is None
    return result


def ids(*calls: str, **options: Any) -> list[str]:
    """Return the IDs of events, in a run of its own."""
    found = [f"({call}).message_id" if "segment" in call else f"({call}).uuid" for call in calls]
    made = run(f"return {{{', '.join(found)}}}", **options).result
    assert isinstance(made, list)
    return [str(each) for each in made]


def sent(emulator: Emulator, integration: str) -> list[dict[str, Any]]:
    """Return the messages that have arrived, without the time of their sending, which is no part of them."""
    messages = [dict(event["message"]) for event in emulator.events(integration)]  # type: ignore[arg-type]  # an object
    return [{key: each[key] for key in each if key != "sentAt"} for each in messages]


# The same IDs


@pytest.mark.parametrize(("integration", "call"), [("segment", TRACK), ("posthog", CAPTURE)])
def test_a_repeated_run_sends_the_same(
    integration: str, call: str, kosmo_emulator: Emulator
) -> None:
    """Issue 6: IDs and times are the same, so that the service drops what it has."""
    code = f"for i = 1, 3 do {call} end"
    run(code)
    run(code)
    messages = sent(kosmo_emulator, integration)
    assert messages[:3] == messages[3:]
    duplicates = [event["duplicate"] for event in kosmo_emulator.events(integration)]
    assert duplicates == [False] * 3 + [True] * 3
    name = "messageId" if integration == "segment" else "uuid"
    assert len({message[name] for message in messages}) == 3
    [moment] = {message["timestamp"] for message in messages}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 60


def test_calls_without_a_script_are_one_run_on_all_threads(kosmo_emulator: Emulator) -> None:
    """Ours: equal calls are two, whoever makes them; what a dry run prepares is none."""

    def send() -> list[str]:
        arguments: dict[str, Any] = {"event": "e", "userId": "u"}
        with Kosmo(run_id="r") as kosmo, ThreadPoolExecutor(1) as thread:
            assert kosmo.attempt("segment.track", arguments, dry_run=True).error is None
            here = kosmo.call("segment.track", arguments)
            there = thread.submit(kosmo.call, "segment.track", arguments).result()
        return [str(each["message_id"]) for each in (here, there) if isinstance(each, dict)]

    first, again = send(), send()
    assert len({*first}) == 2
    assert again == first
    duplicates = [event["duplicate"] for event in kosmo_emulator.events()]
    assert duplicates == [False, False, True, True]


def test_the_id_of_a_run_is_in_its_envelope(kosmo_emulator: Emulator) -> None:
    """Issue 6: meta.run_id."""
    assert run(TRACK).meta.run_id == "r"
    assert len(kosmo_emulator.events()) == 1


def test_an_event_with_a_time_keeps_it(kosmo_emulator: Emulator) -> None:
    """Issue 6: only an event without one takes that of the run."""
    given = CAPTURE.replace("})", ', timestamp = "2026-04-01T10:00:00Z"})')
    run(given)
    run(given)
    times = {message["timestamp"] for message in sent(kosmo_emulator, "posthog")}
    assert times == {"2026-04-01T10:00:00Z"}


def test_without_an_id_every_run_is_another() -> None:
    """Ours: random UUIDs."""
    assert ids(TRACK, CAPTURE, run_id=None) != ids(TRACK, CAPTURE, run_id=None)


def test_ids_are_random_uuids_to_a_service() -> None:
    """FACTS: Segment recognizes IDs over all its customers; PostHog takes valid UUIDs only."""
    for made in ids(TRACK, TRACK, CAPTURE):
        assert UUID(made).version == 4
        assert str(UUID(made)) == made


def test_a_retry_uses_up_no_id(kosmo_emulator: Emulator) -> None:
    """Issue 6: how often a request was sent changes nothing."""
    kosmo_emulator.fault(cut="after")
    assert ids(TRACK, TRACK) == ids(TRACK, TRACK)
    duplicates = [event["duplicate"] for event in kosmo_emulator.events()]
    assert duplicates == [False, True, False, True, True]


def test_parallel_calls_have_the_ids_of_their_arguments(kosmo_emulator: Emulator) -> None:
    """Issue 6: in whatever order they are sent and answered."""
    code = """
        local items = {}
        for i = 1, 12 do items[i] = i %% 8 end
        return parallel.map(items, function(i)
            return app.integrations.segment.track({event = "e" .. i, userId = "u"}).message_id
        end, {limit = %d})
    """
    first = run(code % 12).result
    for delay in (0.05, 0.02):
        kosmo_emulator.fault(delay=delay)
    assert isinstance(first, list)
    second = run(code % 3).result
    assert isinstance(second, list)
    assert sorted(map(str, first)) == sorted(map(str, second))
    assert len({*map(str, first)}) == 12


def test_ids_are_those_that_an_earlier_version_has_sent(home: Path) -> None:
    """Ours: a run that was cut off may be repeated after an update."""
    (home / "runs").mkdir(parents=True)
    state = {"salt": "5a" * 32, "time": "2026-04-01T10:00:00.000Z"}
    (home / "runs" / "r.json").write_text(json.dumps(state))
    assert ids(TRACK, TRACK, CAPTURE) == [
        "77d68350-0843-4dc3-9d44-8f1141cb6c3e",
        "2154ae94-37ce-439e-8cc4-d4cca4bf77db",
        "94b3db03-7aaf-4208-84c2-b77de12fec53",
    ]


# Other IDs


def test_another_run_account_function_argument_or_occurrence_has_another_id() -> None:
    """Issue 6: id = UUID of HMAC(salt, account, function, canonical arguments, occurrence number)."""
    other_calls = [
        TRACK.replace('"u"', '"v"'),
        TRACK.replace('"e"', '"f"'),
        TRACK.replace("})", ", properties = {n = 1}})"),
        'app.integrations.segment.page({name = "e", userId = "u"})',
        'app.integrations.segment.identify({userId = "u"})',
    ]
    with Kosmo(run_id="r", emulator=True, force=True) as kosmo:  # there every account is known
        in_account = kosmo.run(f"return ({TRACK.replace('segment.', 'segment.work.')}).message_id")
        default = kosmo.run(f"return ({TRACK}).message_id")
    made = [
        *ids(TRACK, TRACK, *other_calls, emulator=True),
        *ids(TRACK, run_id="other", emulator=True),
        str(in_account.result),
    ]
    assert default.result == made[0]
    assert len({*made}) == len(made) == 9


def test_the_order_of_arguments_does_not_matter() -> None:
    """Issue 6: canonical."""
    swapped = 'app.integrations.segment.track({userId = "u", event = "e"})'
    assert ids(TRACK) == ids(swapped)


def test_another_home_has_another_salt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 6: nobody who knows the ID of a run and its events can guess their IDs."""
    first = ids(TRACK)
    monkeypatch.setenv("KOSMO_HOME", str(tmp_path / "other"))
    assert ids(TRACK) != first


# The state of a run


def test_the_state_is_for_its_user_only(home: Path) -> None:
    """Ours: whoever knew the salt could keep the user's events out."""
    previous = os.umask(0)
    try:
        ids(TRACK)
    finally:
        os.umask(previous)
    assert (home / "runs").stat().st_mode & 0o777 == 0o700
    [state] = (home / "runs").iterdir()
    assert (state.name, state.stat().st_mode & 0o777) == ("r.json", 0o600)
    document = json.loads(state.read_text())
    assert [*document] == ["salt", "time"]
    assert len(bytes.fromhex(document["salt"])) == 32


@pytest.mark.parametrize(
    "run_id", ["", ".", "..", ".hidden", "a/b", "a b", "é", "a\n", "x" * 101, "-", "--force"]
)
def test_an_id_that_is_no_name_is_a_usage_error(
    run_id: str, kosmo: Callable[..., Finished], home: Path
) -> None:
    """Ours: before anything runs."""
    with pytest.raises(KosmoError) as caught:
        Kosmo(run_id=run_id)
    assert caught.value.code == "usage"
    assert caught.value.hint == "For example: --run import-2026-04-01"
    done = kosmo("integrations:lua", "--json", "--run", run_id, "--eval", "print(1)")
    assert (done.status, done.json()["error_info"]["code"], done.json()["output"]) == (
        2,
        "usage",
        "",
    )
    assert [*home.iterdir()] == []


@pytest.mark.parametrize("run_id", ["a", "2026-04-01", "x" * 100, "A_b.c", "_-"])
def test_other_ids_are_names(run_id: str, home: Path) -> None:
    """Ours: 1 to 100 letters, digits, dots, hyphens and underscores; no option begins so."""
    ids(TRACK, run_id=run_id)
    assert (home / "runs" / f"{run_id}.json").exists()


SALT = "ab" * 32
TIME = "2026-04-01T10:00:00.000Z"
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "half": b'{"salt": "ab',
    "no object": b"[]",
    "text": b'"salt"',
    "null": b"null",
    "binary": b"\xff\xfe\x00",
    "no salt": json.dumps({"time": TIME}).encode(),
    "short salt": json.dumps({"salt": "", "time": TIME}).encode(),
    "no hex": json.dumps({"salt": "zz" * 32, "time": TIME}).encode(),
    "number": json.dumps({"salt": 5, "time": TIME}).encode(),
    "no time": json.dumps({"salt": SALT}).encode(),
    "odd time": json.dumps({"salt": SALT, "time": "today"}).encode(),
    "time without a zone": json.dumps({"salt": SALT, "time": "2026-04-01T10:00:00"}).encode(),
    "deep": b"[" * 100_000,
}


def test_a_rehearsal_on_the_emulator_is_another_run(home: Path) -> None:
    """Ours: the real run would send its IDs, and give events the time of the rehearsal."""
    rehearsed = [ids(TRACK, emulator=True) for _ in range(2)]
    assert rehearsed[0] == rehearsed[1]
    assert [*(home / "runs").rglob("*.json")] == [home / "runs" / "emulator" / "r.json"]
    assert ids(TRACK) != rehearsed[0]


def test_a_run_that_is_older_than_a_day_says_so(home: Path) -> None:
    """Ours: a name that a nightly job uses again would date all events to its first night."""
    assert run(TRACK).warnings == ()
    file = home / "runs" / "r.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "time": TIME}))
    [warning] = run(TRACK).warnings
    again = "what it sends again may count twice, and events without a timestamp get that time"
    assert warning == (
        f"the run r was started first at {TIME}: {again}; another run needs another ID"
    )


@pytest.mark.parametrize(
    ("run_id", "advice"),
    [
        ("r", "Run it again with --run r: the service drops the events that it has."),
        (
            None,
            "To be repeated without sending anything twice, a run needs --run ID from its first time.",
        ),
    ],
)
def test_a_failure_after_a_write_says_how_to_repeat_the_run(
    run_id: str | None, advice: str, kosmo_emulator: Emulator
) -> None:
    """Ours: that is what exit status 3 means, and the error alone does not say so."""
    kosmo_emulator.fault(status=503, path="/v1/track")
    code = f'app.integrations.segment.identify("u") {TRACK}'
    with Kosmo(run_id=run_id, retry_budget=0) as kosmo:
        result = kosmo.run(code)
    assert result.error_info
    before = "The run has made 1 write before, which another run would make again."
    assert (result.exit_status, result.error_info.hint) == (3, f"{before} {advice}")


@pytest.mark.parametrize("content", BROKEN.values(), ids=[*BROKEN])
def test_a_broken_state_is_told_in_a_sentence(
    content: bytes, home: Path, kosmo_emulator: Emulator
) -> None:
    """Ours: nothing is sent, for its IDs would be others."""
    file = home / "runs" / "r.json"
    file.parent.mkdir()
    file.write_bytes(content)
    result = Kosmo(run_id="r").run(TRACK)
    assert result.error == f"eval:1: {file} is not the state of a run"
    assert result.error_info
    info = result.error_info
    assert (info.code, info.effect, info.hint) == (
        "config_error",
        "none",
        "Remove it, or use another ID.",
    )
    assert (result.exit_status, kosmo_emulator.events()) == (78, [])


def _folder(home: Path) -> None:
    (home / "runs" / "r.json").mkdir(parents=True)


def _file(home: Path) -> None:
    (home / "runs").write_text("")


@pytest.mark.parametrize(
    ("spoil", "reason"), [(_folder, "Is a directory"), (_file, "File exists")]
)
def test_a_state_that_cannot_be_read_is_told_in_a_sentence(
    spoil: Callable[[Path], None], reason: str, home: Path
) -> None:
    """Ours: config_error."""
    spoil(home)
    result = Kosmo(run_id="r").run(TRACK)
    assert result.error == f"eval:1: cannot keep the run in {home}/runs/r.json: {reason}"
    assert result.exit_status == 78


def test_a_home_that_cannot_be_written_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ours: config_error."""
    monkeypatch.setenv("KOSMO_HOME", "/proc/no-such-home")
    result = Kosmo(run_id="r").run(TRACK)
    assert result.error == (
        "eval:1: cannot keep the run in /proc/no-such-home/runs/r.json: No such file or directory"
    )
    assert result.exit_status == 78


def test_a_user_without_a_home_is_told_in_a_sentence() -> None:
    """Ours: config_error."""
    result = Kosmo(run_id="r", environ={}).run(TRACK)
    assert result.error == (
        "eval:1: a run that can be repeated needs a folder of the user, and there is none"
    )
    assert result.exit_status == 78


RACE = """
import os, sys
from kosmo_lua.runs import Run
folder, count = sys.argv[1], int(sys.argv[2])
for number in range(20):
    start, go = os.pipe()
    answers, answer = os.pipe()
    for _ in range(count):
        if os.fork() == 0:
            os.close(go)
            os.read(start, 1)  # until the parent closes its end
            run = Run.open(folder, f"r{number}", emulated=False)
            made = run.identity("f", "a", {}).new_id() + run.time
            os.write(answer, made.encode() + b"\\n")
            os._exit(0)
    os.close(go)
    os.close(start)
    os.close(answer)
    with open(answers) as lines:
        made = lines.read().split()
    assert len(made) == count, made
    assert len({*made}) == 1, made
    for _ in range(count):
        os.wait()
print("same")
"""


def test_processes_that_begin_a_run_at_once_get_the_same_salt(home: Path) -> None:
    """Ours: 20 times 12 processes that are let go at once; nothing else is left in the folder."""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", RACE, str(home), "12"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("same\n", "")
    assert len([*(home / "runs").iterdir()]) == 20


# Runs that were killed


@pytest.fixture
def slow(kosmo_emulator: Emulator) -> Iterator[Emulator]:
    """Let every answer take a moment."""
    kosmo_emulator.fault(delay=0.02, times=10_000)
    yield kosmo_emulator
    kosmo_emulator.reset()


def test_a_killed_run_is_completed_by_its_repetition(
    start: Start, kosmo: Callable[..., Finished], slow: Emulator
) -> None:
    """Issue 6: SIGKILL in the middle; then every event is there once, and some came twice."""
    code = """
        for i = 1, 60 do
            app.integrations.segment.track({event = "e" .. i, userId = "u"})
        end
    """
    arguments = ("integrations:lua", "--json", "--run", "import", "--eval", code)
    process = start(*arguments)
    poll(lambda: len(slow.events()) >= 10)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=20)
    before = len(slow.events())
    assert before < 60
    assert kosmo(*arguments).status == 0
    events = slow.events()
    fresh = [event for event in events if not event["duplicate"]]
    assert len(fresh) == 60
    assert len(events) in range(60 + before - 1, 60 + before + 2)  # one may have been under way
