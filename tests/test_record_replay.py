"""--record and --replay: the calls of a run in a file, and the same run without any service."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, ROOT, Finished, poll
from posthog_service import RecordingPostHog
from raw_service import Answer, RawService, web

from kosmo_lua import Kosmo, KosmoError, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.integration import Api, Credentials, Integration, JsonObject
from kosmo_lua.isolation import Isolation
from kosmo_segment import segment

HEADER = {"kosmo_recording": 1, "kosmo": "0.1.0"}
HEAD = json.dumps(HEADER) + "\n"
USER = '{"function":"segment.get_current_user","account":"default","arguments":{},"result":{"id":"w"}}\n'

ALL = """
local segment, posthog = app.integrations.segment, app.integrations.posthog
local track = segment.track{event = "Signed Up", userId = "u-1"}
local _, problem = pcall(segment.get_source, {slug = "my-workspace", id = "nope"})
local report = batch(function()
  for index = 1, 3 do segment.track{event = "Queued", userId = "u-" .. index} end
end)
local ids = {}
for person in posthog.each_person{limit = 2} do ids[#ids + 1] = person.id end
local names = parallel.map({"a", "b", "c"}, function(name)
  return segment.identify{userId = name}.message_id
end)
print(problem, problem.code, problem.status, problem.effect)
return {track = track, report = report, ids = ids, names = names}
"""
"""A script that calls in every way."""


def lines(path: Path) -> list[Any]:
    """Return the values of a recording."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(code: str, *, isolation: Isolation = "thread", **options: Any) -> Result:
    """Run a script with options of Kosmo."""
    with Kosmo(isolation=isolation, **options) as kosmo:
        return kosmo.run(code, name="w.lua")


def replay(tape: Path, code: str) -> Result:
    """Replay a recording with nothing in the environment."""
    return run(code, environ={}, replay=str(tape))


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """Where a recording goes."""
    return tmp_path / "tape.jsonl"


class TestRecord:
    """What is in the file."""

    def test_each_call_is_a_line(
        self, tape: Path, kosmo_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ours: function, account, arguments, and the result or the facts of the error."""
        code = """
        app.integrations.segment.work.track("Signed Up", "u-1")
        pcall(app.integrations.segment.get_source, {slug = "my-workspace", id = "nope"})
        """
        monkeypatch.setenv("KOSMO_SEGMENT__WORK__WRITE_KEY", "a-key")
        monkeypatch.setenv("KOSMO_SEGMENT__WORK__TRACKING_URL", kosmo_emulator.url)
        result = run(code, record=str(tape), force=True)
        assert result.error is None
        header, track, source = lines(tape)
        assert header == HEADER
        assert track.pop("result")["success"] is True
        assert track == {
            "function": "segment.track_event",
            "account": "work",
            "arguments": {"userId": "u-1", "event": "Signed Up"},
        }
        assert [*source] == ["function", "account", "arguments", "error"]
        assert (source["error"]["code"], source["error"]["status"]) == ("service_error", 404)

    def test_pages_have_numbers(self, tape: Path, kosmo_emulator: Emulator) -> None:
        """Ours: the function is the iterator's own."""
        del kosmo_emulator
        run("for _ in app.integrations.posthog.each_person{limit = 2} do end", record=str(tape))
        _, *pages = lines(tape)
        assert [(each["function"], each["page"], each["more"]) for each in pages] == [
            ("posthog.posthog_each_person", 1, True),
            ("posthog.posthog_each_person", 2, False),
        ]

    def test_file_is_private_and_replaced_when_a_run_starts(
        self, tape: Path, kosmo: Callable[..., Finished]
    ) -> None:
        """Ours: mode 0600 whatever it was, and no mistake on the command line costs a recording."""
        tape.write_text("older\n")
        tape.chmod(0o644)
        missing = kosmo("integrations:lua", "no-such.lua", "--record", str(tape))
        both = kosmo("integrations:lua", "-e", "x", "--record", str(tape), "--replay", "r")
        assert (missing.status, both.status, tape.read_text()) == (2, 2, "older\n")
        done = kosmo("integrations:lua", "-e", "return 1", "--record", str(tape))
        assert (done.status, tape.read_text(), tape.stat().st_mode & 0o777) == (0, HEAD, 0o600)

    @pytest.mark.parametrize("place", ["missing/tape.jsonl", "link", "folder", "pipe", "/proc/x"])
    def test_place_that_cannot_be_written_is_refused(
        self, place: str, tmp_path: Path, tape: Path
    ) -> None:
        """Ours: in one sentence, before anything runs."""
        tape.write_text("what the link leads to")
        (tmp_path / "link").symlink_to(tape)
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        result = run("print(1)", environ={}, record=str(tmp_path / place))
        assert result.error_info is not None
        assert result.error is not None
        assert (result.error_info.code, result.output) == ("usage", "")
        assert str(tmp_path / place) in result.error
        assert tape.read_text() == "what the link leads to"

    def test_recording_that_cannot_go_on_is_a_warning(
        self, tape: Path, kosmo_emulator: Emulator
    ) -> None:
        """Ours: the calls of the run are worth more than their recording."""
        del kosmo_emulator
        with Kosmo(record=str(tape)) as kosmo, kosmo.session() as session:
            session.run("return 1")
            tape.unlink()
            result = session.run("return app.integrations.segment.get_current_user().slug")
        assert (result.result, result.warnings) == (
            "my-workspace",
            ("the recording ends early: No such file or directory",),
        )

    @pytest.mark.parametrize("key", ["canary-4f1d-9c27-secret", "k3y"])
    @pytest.mark.parametrize("isolation", ["thread", "process"])
    def test_no_secret_is_in_it(
        self, key: str, isolation: Isolation, tape: Path, kosmo_emulator: Emulator
    ) -> None:
        """The card: not in arguments, results or errors; one too short to look for not as a value."""
        environ = {
            "KOSMO_SEGMENT_WRITE_KEY": key,
            "KOSMO_SEGMENT_API_TOKEN": key,
            "KOSMO_SEGMENT_TRACKING_URL": kosmo_emulator.url,
            "KOSMO_SEGMENT_API_URL": kosmo_emulator.url,
        }
        code = f"""
        local segment = app.integrations.segment
        pcall(segment.track, {{evnt = "{key}", userId = "u"}})
        segment.track{{event = "{key}", userId = "u", properties = {{["{key}"] = {{"{key}"}}}}}}
        batch(function() segment.track{{event = "{key}", userId = "u"}} end)
        pcall(segment.get_workspace, {{slug = "{key}"}})
        pcall(segment.nowhere.track, {{event = "{key}", userId = "u"}})
        """
        result = run(code, environ=environ, force=True, record=str(tape), isolation=isolation)
        assert result.error is None
        text = tape.read_text(encoding="utf-8")
        assert f'"{key}"' not in text
        assert "canary" not in text
        assert len(lines(tape)) == 7
        again = run(code, environ={}, replay=str(tape))
        assert (again.error, again.warnings) == (None, ())

    def test_parallel_calls_leave_whole_lines(self, tape: Path, kosmo_emulator: Emulator) -> None:
        """Ours: lines are written by many threads at once."""
        del kosmo_emulator
        code = """
        local items = {}
        for index = 1, 200 do items[index] = index end
        parallel.map(items, function(index)
          app.integrations.segment.track{event = "E", userId = ("u"):rep(5000) .. index}
        end, {limit = 32})
        """
        assert run(code, record=str(tape)).error is None
        assert len(lines(tape)) == 201
        assert replay(tape, code).warnings == ()

    def test_killed_run_leaves_whole_lines(
        self, tape: Path, start: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """Ours: what had ended before SIGKILL can be replayed."""
        del kosmo_emulator
        track = 'app.integrations.segment.track{event = "E", userId = "u-" .. index}'
        code = f"for index = 1, 1000000 do {track} end"
        process = start("integrations:lua", "--record", str(tape), "-e", code)
        poll(lambda: tape.exists() and len(tape.read_bytes().splitlines()) > 5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        ended = len(tape.read_bytes().splitlines()) - 1
        result = replay(tape, f"for index = 1, {ended - 1} do {track} end")
        assert result.error is None

    @pytest.mark.usefixtures("retries")
    def test_call_that_the_end_of_the_run_has_cut_is_not_in_it(
        self,
        tape: Path,
        kosmo_emulator: Emulator,
        service: RawService,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Ours: it waits for its rate limit when another task ends the run; the file is whole."""
        waits = threading.Event()

        def told(kind: str) -> None:
            if kind == "wait":
                waits.set()

        service.answer = lambda _: Answer(200 if waits.wait(20) else 500)
        monkeypatch.setenv("KOSMO_WEB_URL", service.url)
        kosmo_emulator.fault(retry_after=30)
        code = """
        parallel.map({"waits", "ends"}, function(task)
          if task == "waits" then app.integrations.segment.get_current_user() end
          app.integrations.web.get{path = "answers-once-that-waits"}
          print(("x"):rep(1000))
        end)
        """
        options: dict[str, Any] = {"integrations": [segment, web], "limits": Limits(output=100)}
        with Kosmo(record=str(tape), **options) as kosmo:
            with kosmo.session() as session:
                result = session.run(code, on_event=lambda event: told(event.type))
            poll(lambda: "kosmo-call" not in {each.name for each in threading.enumerate()})
            assert result.error_info is not None
            assert result.error_info.code == "output_limit"
        [header, call] = lines(tape)
        assert (header, call["function"]) == (HEADER, "web.get")

    def test_arguments_that_have_no_names_fail_again(
        self, tape: Path, kosmo_emulator: Emulator
    ) -> None:
        """Ours: such a call is none, alone and in a batch, and a replay does not look for it."""
        del kosmo_emulator
        code = """
        local track = app.integrations.segment.track
        local function failed() return select(2, pcall(track, {"a", "b"})).code end
        local in_batch
        local report = batch(function() in_batch = failed() end)
        return failed(), in_batch, report.queued
        """
        recorded = run(code, record=str(tape))
        assert recorded.result == ["invalid_arguments", "invalid_arguments", 0]
        again = replay(tape, code)
        assert (again.result, again.warnings) == (recorded.result, ())

    def test_answers_are_what_they_were_whatever_is_in_them(self, tape: Path) -> None:
        """Ours: also half a surrogate pair, which is no UTF-8, NaN, and numbers of any size."""
        odd = Integration("odd", "Odd", "Answers oddly.", Credentials, Api[Credentials])

        @odd.read()
        def look(api: Api[Credentials]) -> JsonObject:
            """Return odd values.

            Returns: them.
            """
            del api
            return {"half": "\ud800", "nan": float("nan"), "large": 2**70, "é": [0.1, None, []]}

        code = "return app.integrations.odd.look()"
        with Kosmo(integrations=[odd], environ={}, record=str(tape)) as kosmo:
            recorded = kosmo.run(code)
        with Kosmo(integrations=[odd], environ={}, replay=str(tape)) as kosmo:
            again = kosmo.run(code)
        assert (recorded.error, again.warnings) == (None, ())
        assert again.result == recorded.result


class TestReplay:
    """A run that a recording answers."""

    @pytest.mark.parametrize("isolation", ["thread", "process"])
    def test_run_is_what_it_was(
        self,
        isolation: Isolation,
        tape: Path,
        kosmo_emulator: Emulator,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The card: results, errors, pages, batches and parallel calls, without account and network."""
        recorded = run(ALL, record=str(tape), isolation=isolation)
        assert recorded.error is None
        kosmo_emulator.clear_events()
        if isolation == "thread":
            monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connects"))
        again = run(ALL, environ={}, replay=str(tape), isolation=isolation)
        assert (again.error, again.warnings) == (None, ())
        assert (again.result, again.output) == (recorded.result, recorded.output)
        assert again.delivery == recorded.delivery
        assert {call.effect for call in again.call_log} == {"none"}
        assert again.meta.calls.wrote == 0
        assert kosmo_emulator.events() == []

    def test_command_replays_without_credentials(
        self, tape: Path, kosmo: Callable[..., Finished], tmp_path: Path
    ) -> None:
        """The card: the same file, in CI, by the command; a write needs no approval."""
        (tmp_path / "w.lua").write_text(ALL)
        recorded = kosmo("integrations:lua", "w.lua", "--emulator", "--record", "tape.jsonl")
        again = kosmo("integrations:lua", "w.lua", "--replay", "tape.jsonl")
        assert (recorded.status, recorded.stderr) == (0, "")
        assert again == recorded
        assert tape.exists()

    def test_equal_calls_are_answered_in_their_order_each_once(self, tape: Path) -> None:
        """Ours: the order of different calls does not matter."""
        call = {"function": "segment.get_current_user", "account": "default", "arguments": {}}
        other = {**call, "function": "segment.get_workspace", "arguments": {"slug": "s"}}
        answers = [{**call, "result": 1}, {**other, "result": "w"}, {**call, "result": 2}]
        tape.write_text(HEAD + "".join(json.dumps(each) + "\n" for each in answers))
        code = """
        local segment, user = app.integrations.segment, app.integrations.segment.get_current_user
        local workspace, first, second = segment.get_workspace{slug = "s"}, user(), user()
        local ok, problem = pcall(user)
        return workspace, first, second, ok, problem.code
        """
        assert replay(tape, code).result == ["w", 1, 2, False, "not_recorded"]

    def test_call_that_was_not_recorded_shows_the_nearest(self, tape: Path) -> None:
        """The card: what differs, in a sentence, with the line; exit status 65."""
        call = {"function": "segment.track_event", "account": "default", "result": {}}
        near = {"event": "E", "userId": "u-1", "properties": {"plan": "pro", "seats": 3}}
        far = {"event": "X", "userId": "u-9", "properties": {"a": 1}}
        tape.write_text(
            HEAD + "".join(json.dumps({**call, "arguments": each}) + "\n" for each in (far, near))
        )
        code = """
        app.integrations.segment.track{
          event = "E", userId = "u-2", properties = {plan = "pro", size = 1},
        }
        """
        result = replay(tape, code)
        assert result.error_info is not None
        assert result.error == (
            "w.lua:2: segment.track_event: it was not recorded; the nearest recorded call, in line 3, "
            'differs: userId is "u-2" and was "u-1", properties.size = 1 is new, '
            "properties.seats = 3 is missing"
        )
        assert (result.error_info.code, result.exit_status) == ("not_recorded", 65)
        assert (result.error_info.effect, result.error_info.line) == ("none", 2)

    @pytest.mark.parametrize(
        ("code", "sentence"),
        [
            (
                "segment.get_workspace{slug = 's'}",
                "it was not recorded, and no other call of it was",
            ),
            ("segment.work.get_current_user()", "account is work and was default"),
            (
                "segment.get_current_user() segment.get_current_user()",
                "it was recorded (line 2), but not as often as it is made",
            ),
            ("posthog.each_person{}()", "it was not recorded, and no other call of it was"),
        ],
    )
    def test_sentence_says_what_is_not_there(self, code: str, sentence: str, tape: Path) -> None:
        """Ours: another account, one call more, and a function that was never called."""
        tape.write_text(HEAD + USER)
        named = "local segment, posthog = app.integrations.segment, app.integrations.posthog "
        result = replay(tape, named + code)
        assert result.error is not None
        assert sentence in result.error

    def test_error_that_a_script_catches_is_a_warning(self, tape: Path) -> None:
        """Ours: a test with pcall around its calls does not pass in silence."""
        tape.write_text(HEAD)
        result = replay(tape, "pcall(app.integrations.segment.get_current_user)")
        sentence = "it was not recorded, and no other call of it was"
        assert (result.success, result.warnings) == (
            True,
            (f"segment.get_current_user: {sentence}",),
        )

    def test_calls_that_were_not_made_are_a_warning(self, tape: Path) -> None:
        """The card: their number and names, also when the script called nothing."""
        tape.write_text(HEAD + USER + USER + USER.replace("get_current_user", "list_sources"))
        made = "app.integrations.segment.get_current_user()"
        result = replay(tape, made)
        names = "segment.get_current_user (1), segment.list_sources (1)"
        assert (result.error, result.warnings) == (
            None,
            (f"2 recorded calls were not made: {names}",),
        )
        [nothing] = replay(tape, "return 1").warnings
        assert nothing.startswith("3 recorded calls were not made")

    def test_loop_that_ended_early_ends_there_again(
        self, tape: Path, recorder: RecordingPostHog, account: dict[str, str]
    ) -> None:
        """Ours: the page that was read ahead, and maybe not recorded, is not missed."""
        del recorder
        code = (
            "for person in app.integrations.posthog.each_person{limit = 1} do return person.id end"
        )
        recorded = run(code, environ=account, record=str(tape))
        kept = [each for each in lines(tape) if each.get("page", 1) == 1]
        tape.write_text("".join(json.dumps(each) + "\n" for each in kept))
        again = replay(tape, code)
        assert (again.result, again.error, again.warnings) == (recorded.result, None, ())
        beyond = replay(tape, code.replace("return person.id", ""))
        assert beyond.error_info is not None
        assert beyond.error_info.code == "not_recorded"

    def test_accounts_are_those_of_the_recording(
        self, tape: Path, kosmo_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ours: an iterator and a batch of an account that nothing here knows."""
        monkeypatch.setenv("KOSMO_SEGMENT__WORK__WRITE_KEY", "a-key-of-work")
        monkeypatch.setenv("KOSMO_SEGMENT__WORK__TRACKING_URL", kosmo_emulator.url)
        code = """
        return batch(function()
          app.integrations.segment.work.track{event = "E", userId = "u"}
        end).accepted
        """
        assert run(code, record=str(tape)).result == 1
        assert replay(tape, code).result == 1

    def test_rejected_events_are_rejected_again(
        self, tape: Path, kosmo_emulator: Emulator
    ) -> None:
        """Ours: the report of a batch is the recorded one, and so is the exit status."""
        kosmo_emulator.fault(status=400, times=1)
        code = """
        return batch(function()
          app.integrations.segment.track{event = "E", userId = "u"}
        end)
        """
        recorded = run(code, record=str(tape))
        again = replay(tape, code)
        assert (recorded.exit_status, again.exit_status) == (3, 3)
        assert (again.result, again.delivery) == (recorded.result, recorded.delivery)

    def test_batch_of_a_killed_run_was_accepted(self, tape: Path) -> None:
        """Ours: there is no report, so nothing speaks against it."""
        event = {
            "function": "segment.track_event",
            "account": "default",
            "arguments": {"event": "E", "userId": "u"},
            "queued": True,
            "bytes": 7,
            "result": {"message_id": "m"},
        }
        tape.write_text(HEAD + json.dumps(event) + "\n")
        code = """
        local id
        local report = batch(function()
          id = app.integrations.segment.track{event = "E", userId = "u"}.message_id
        end)
        return id, report.queued, report.accepted, report.bytes
        """
        assert replay(tape, code).result == ["m", 1, 1, 7]

    def test_numbers_are_equal_as_in_json(self, tape: Path) -> None:
        """Ours: 1 is 1.0, and is not true."""
        line = json.loads(USER)
        line["arguments"] = {"a": 1.0, "b": [2]}
        tape.write_text(HEAD + json.dumps(line) + "\n")
        user = "app.integrations.segment.get_current_user"
        assert replay(tape, f"return {user}({{a = 1, b = {{2.0}}}}).id").result == "w"
        assert not replay(tape, f"return {user}({{a = true, b = {{2}}}})").success


HOSTILE = {
    "empty": (b"", 1),
    "foreign": (b"print('hello')\n", 1),
    "other JSON": (b'{"a": 1}\n', 1),
    "newer": (b'{"kosmo_recording": 2}\n', 1),
    "not UTF-8": (HEAD.encode() + b'{"function": "\xff"}\n', 2),
    "not JSON": (HEAD.encode() + USER.encode() + b"{\n", 3),
    "deep": (HEAD.encode() + b"[" * 200_000 + b"]" * 200_000 + b"\n", 2),
    "long number": (HEAD.encode() + b'{"a": ' + b"9" * 5000 + b"}\n", 2),
    "no call": (HEAD.encode() + b"[1]\n", 2),
    "no result": (HEAD.encode() + b'{"function":"a.b","account":"c","arguments":{}}\n', 2),
    "wrong type": (HEAD.encode() + USER.replace("{}", "3").encode(), 2),
    "strange error": (
        HEAD.encode() + USER.replace('"result":{"id":"w"}', '"error":{"code":"x"}').encode(),
        2,
    ),
    "broken report": (HEAD.encode() + b'{"report": {"queued": -1}}\n', 2),
    "page that is no list": (HEAD.encode() + USER.replace("{}", '{},"page":1').encode(), 2),
}
"""Files that are no recording, and the line where that shows."""


class TestFiles:
    """Files that somebody else has made."""

    @pytest.mark.parametrize("case", HOSTILE)
    def test_broken_file_is_an_error_with_its_line(self, case: str, tape: Path) -> None:
        """Ours: before the script runs."""
        content, line = HOSTILE[case]
        tape.write_bytes(content)
        result = replay(tape, "print(1)")
        assert result.error_info is not None
        assert result.error is not None
        assert (result.error_info.code, result.output) == ("config_error", "")
        assert result.error.startswith(f"cannot replay {tape}: line {line}: ")

    def test_huge_line_is_not_read(self, tape: Path) -> None:
        """Ours: a file of 8 GB costs no more than what a line may have."""
        with tape.open("wb") as file:
            file.write(HEAD.encode())
            file.truncate(8 * 1024**3)
        result = replay(tape, "return 1")
        assert result.error == f"cannot replay {tape}: line 2: it has more than 32 MiB"

    @pytest.mark.parametrize("place", ["missing.jsonl", "folder", "pipe"])
    def test_place_without_a_file_is_refused(self, place: str, tmp_path: Path) -> None:
        """Ours: a named pipe is not waited for."""
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        result = replay(tmp_path / place, "return 1")
        assert result.error_info is not None
        assert result.error is not None
        assert result.error_info.code == "usage"
        assert str(tmp_path / place) in result.error

    def test_line_that_was_cut_off_is_dropped_with_a_warning(self, tape: Path) -> None:
        """Ours: that is what a run leaves whose machine went down."""
        tape.write_text(HEAD + USER + USER[:40])
        result = replay(tape, "return app.integrations.segment.get_current_user().id")
        sentence = "its last line is cut off, because the run that wrote it was killed"
        assert (result.result, result.warnings) == ("w", (f"{tape}: {sentence}",))

    def test_deep_answer_of_a_recording_is_an_error_of_its_call(self, tape: Path) -> None:
        """Ours: as if the service had given it."""
        deep = "[" * 700 + "]" * 700
        tape.write_text(HEAD + USER.replace('{"id":"w"}', deep))
        code = "return pcall(app.integrations.segment.get_current_user)"
        result = replay(tape, code)
        assert result.error_info is None or result.error_info.code == "config_error"
        assert result.error or "nested too deep" in str(result.result)


class TestModes:
    """What can be asked for at once."""

    @pytest.mark.parametrize(
        "options",
        [
            {"record": "a", "replay": "b"},
            {"record": "a", "dry_run": True},
            {"replay": "a", "dry_run": True},
            {"replay": "a", "emulator": True},
        ],
    )
    def test_what_excludes_each_other_is_refused(self, options: dict[str, Any]) -> None:
        """Ours: in one sentence."""
        with pytest.raises(KosmoError) as caught:
            Kosmo(**options)
        assert caught.value.code == "usage"

    @pytest.mark.parametrize("name", ["record", "replay"])
    def test_empty_name_of_a_file_makes_no_call(
        self, name: str, kosmo: Callable[..., Finished], kosmo_emulator: Emulator
    ) -> None:
        """Ours: a variable that is not set, and a run that shall only be replayed would go out."""
        code = 'app.integrations.segment.track("e", "u")'
        done = kosmo("integrations:lua", f"--{name}", "", "-e", code, "--json")
        info = done.json()["error_info"]
        sentence = f"{name} names no file: the name is empty"
        assert (done.status, info["code"], done.json()["error"]) == (2, "usage", sentence)
        assert kosmo_emulator.events() == []

    @pytest.mark.parametrize(
        ("options", "names"),
        [
            (["--record", "flow.lua"], "--record and the script"),
            (["--trace", "link.lua"], "--trace and the script"),
            (["--record", "new", "--trace", "./new"], "--trace and --record"),
            (["--replay", "tape", "--trace", "tape"], "--trace and --replay"),
        ],
    )
    def test_file_is_not_written_over_another_one_of_the_run(
        self, options: list[str], names: str, tmp_path: Path, kosmo: Callable[..., Finished]
    ) -> None:
        """Ours: the workflow would be gone, or the recording."""
        for name in ("flow.lua", "tape"):
            tmp_path.joinpath(name).write_text("return 1")
        tmp_path.joinpath("link.lua").symlink_to("flow.lua")
        done = kosmo("integrations:lua", "flow.lua", *options, "--json")
        sentence = f"{names} are the same file: {options[-1]}"
        assert (done.status, done.json()["error"]) == (2, sentence)
        kept = [tmp_path.joinpath(name).read_text() for name in ("flow.lua", "tape")]
        assert kept == ["return 1", "return 1"]

    @pytest.mark.parametrize("option", [{"record": "a"}, {"replay": "a"}, {"dry_run": True}])
    def test_call_without_a_script_is_refused(self, option: dict[str, Any]) -> None:
        """Ours: it would go out although a replay was asked for."""
        with Kosmo(environ={}, **option) as kosmo:
            for call in (
                lambda: kosmo.call("segment.get_current_user"),
                lambda: kosmo.attempt("segment.get_current_user"),
                lambda: kosmo.check("segment"),
            ):
                with pytest.raises(KosmoError) as caught:
                    call()
                assert caught.value.code == "usage"

    def test_repl_refuses_them(self, kosmo: Callable[..., Finished]) -> None:
        """Ours: they are for scripts."""
        for option in (["--record", "f"], ["--replay", "f"], ["--dry-run"]):
            assert kosmo("integrations:lua", "--repl", *option).status == 2


def test_replay_can_be_streamed_and_traced(
    tape: Path, tmp_path: Path, kosmo: Callable[..., Finished]
) -> None:
    """Ours: as the run that was recorded."""

    def calls(*options: str) -> list[list[Any]]:
        trace = tmp_path / "trace.jsonl"
        run = ("integrations:lua", *options, "--output=jsonl", "--trace", str(trace))
        streamed = [json.loads(each) for each in kosmo(*run, "--eval", code).stdout.splitlines()]
        ended = [each["function"] for each in streamed if each["type"] == "call"]
        assert [each["function"] for each in lines(trace)] == ended
        return [ended, streamed[-1]["result"]]

    code = """
    local ids = {}
    for person in app.integrations.posthog.each_person{limit = 2} do ids[#ids + 1] = person.id end
    return ids, app.integrations.segment.track("E", "u")
    """
    recorded = calls("--emulator", "--record", str(tape))
    assert recorded[0] == ["posthog.posthog_list_persons"] * 2 + ["segment.track_event"]
    assert calls("--replay", str(tape)) == recorded


COMMANDS = re.findall(r"run: (kosmo .*)", (ROOT / "examples/ci/workflow.yml").read_text("utf-8"))


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_example_for_ci_succeed(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: on a machine without any key, and without a warning."""
    monkeypatch.chdir(ROOT)
    done = subprocess.run(  # noqa: S603  # our own example
        [*COMMAND, *shlex.split(command)[1:]], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"1 users marked\n")
