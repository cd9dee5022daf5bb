"""--dry-run of a workflow: its reads are made, its writes are planned, and no answer is made up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, echo
from envelopes import assert_fits, assert_line_fits

from kosmo_lua import Kosmo, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation

TRACK = 'app.integrations.segment.track{event = "E", userId = "u"}'
PLANNED = ("segment.track_event", "default", {"event": "E", "userId": "u"})


def run(code: str, *, isolation: Isolation = "thread", **options: Any) -> Result:
    """Run a script dry."""
    with Kosmo(dry_run=True, isolation=isolation, **options) as kosmo:
        return kosmo.run(code, name="w.lua")


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_reads_are_made_and_no_write_is(isolation: Isolation, kosmo_emulator: Emulator) -> None:
    """The card: the plan has every write with its arguments, in order; the script ends well."""
    code = f"""
    local segment, posthog = app.integrations.segment, app.integrations.posthog
    print(segment.get_current_user().slug)
    local answer = {TRACK}
    if not answer.dry_run then print("made") end
    for person in posthog.each_person{{limit = 1}} do
      segment.identify{{userId = person.distinct_ids[1]}}
    end
    parallel.map({{"a", "b"}}, function(name) segment.track(name, "u") end)
    posthog.update_feature_flag{{flag_id = 1, active = false}}
    return answer
    """
    result = run(code, isolation=isolation)
    assert (result.error, result.exit_status) == (None, 0)
    assert (result.output, result.result) == ("my-workspace", {"dry_run": True})
    assert result.plan is not None
    first, *users = result.plan[:-3]
    assert first == PLANNED
    assert {each.function for each in users} == {"segment.identify_user"}
    assert [each[0::2] for each in result.plan[-3:]] == [
        ("segment.track_event", {"event": "a", "userId": "u"}),
        ("segment.track_event", {"event": "b", "userId": "u"}),
        ("posthog.posthog_update_feature_flag", {"flag_id": 1, "active": False}),
    ]
    assert kosmo_emulator.events() == []
    assert result.meta.dry_run
    assert result.meta.calls.wrote == 0
    assert {call.effect for call in result.call_log if call.access == "write"} == {"none"}


READS = {
    "a field": ("print(r.success)", '"success"'),
    "a nested field": ("print(r.a.b)", '"a"'),
    "an index": ("print(r[1])", "a field"),
    "the length": ("print(#r)", "the length"),
    "pairs": ("for _ in pairs(r) do end", "the fields"),
    "ipairs": ("for _ in ipairs(r) do end", "a field"),
    "tostring": ("print(tostring(r) .. '')", "the text"),
    "print": ("print(r)", "the text"),
    "concatenation": ("print('a' .. r)", "the text"),
    "format": ("print(('%s'):format(r))", "the text"),
    "a call": ("r()", "a function"),
    "JSON": ("print(json.encode({r}))", "the fields"),
    "an argument": (
        "app.integrations.segment.track{event = 'E', userId = 'u', properties = r}",
        None,
    ),
    "a positional argument": ("app.integrations.segment.track('E', r)", None),
    "in pcall": ("pcall(function() print(r.success) end)", '"success"'),
    "in xpcall": ("xpcall(function() print(r.success) end, print)", '"success"'),
    "in a coroutine": ("coroutine.wrap(function() print(r.success) end)()", '"success"'),
    "in parallel": ("parallel.map({1}, function() print(r.x) end, {on_error = 'collect'})", '"x"'),
    "in a batch": ("batch(function() print(r.x) end)", '"x"'),
    "in sort": ("table.sort({2, 1}, function() print(r.x) end)", '"x"'),
    "in error handling": (
        "local c <close> = setmetatable({}, {__close = function() print(r.x) end})",
        '"x"',
    ),
}
"""What reads the answer of a write, and what the error says of it."""


@pytest.mark.parametrize("isolation", ["thread", "process"])
@pytest.mark.parametrize("case", READS)
def test_answer_that_is_read_ends_the_run(
    case: str, isolation: Isolation, kosmo_emulator: Emulator
) -> None:
    """The card: at that line, past every pcall; the plan has what comes before."""
    code, what = READS[case]
    result = run(f"local r = {TRACK}\ndo {code} end\nprint('after')\n{TRACK}", isolation=isolation)
    assert result.error_info is not None
    needed = what or "the fields"
    assert result.error == (
        f"w.lua:2: the dry run ends here: it needs {needed} of what segment.track_event returns"
    )
    info = result.error_info
    assert (info.code, info.function, info.line) == (
        "dry_run_incomplete",
        "segment.track_event",
        2,
    )
    assert (result.exit_status, result.output, result.success) == (3, "", False)
    assert result.plan == (PLANNED,)
    assert kosmo_emulator.events() == []


def test_rest_of_the_answer_can_be_used(kosmo_emulator: Emulator) -> None:
    """Ours: it is a table, it is true, and its one field can be read."""
    del kosmo_emulator
    code = f"""
    local r = {TRACK}
    return type(r), r.dry_run, r and 1, r == r, getmetatable(r), {{nested = r}}
    """
    assert run(code).result == ["table", True, 1, True, False, {"nested": {"dry_run": True}}]


class TestBatch:
    """Events that wait for each other."""

    BATCH = """
    local id, report
    report = batch(function()
      for index = 1, 3 do id = app.integrations.segment.track("E", "u-" .. index) end
      app.integrations.posthog.capture_event{event = "E", distinct_id = "d"}
    end, {on_error = "raise"})
    """

    def test_events_are_planned(self, kosmo_emulator: Emulator) -> None:
        """The card: the same way, and nothing is counted as lost."""
        result = run(self.BATCH + "return id, report, report.dry_run")
        assert result.error is None
        assert result.result == [{"dry_run": True}, {"dry_run": True}, True]
        assert result.plan is not None
        assert [each.arguments.get("userId") for each in result.plan] == [
            "u-1",
            "u-2",
            "u-3",
            None,
        ]
        assert result.delivery is None
        assert kosmo_emulator.events() == []

    def test_report_is_no_report(self, kosmo_emulator: Emulator) -> None:
        """The card: reading it ends the run."""
        del kosmo_emulator
        result = run(self.BATCH + "return report.accepted")
        assert result.error_info is not None
        assert (result.error_info.code, result.error_info.function) == (
            "dry_run_incomplete",
            "batch",
        )
        assert len(result.plan or ()) == 4

    def test_event_that_is_wrong_is_an_error(self, kosmo_emulator: Emulator) -> None:
        """Ours: as it would be."""
        del kosmo_emulator
        result = run("batch(function() app.integrations.segment.track{evnt = 1} end)")
        assert result.error_info is not None
        assert (result.error_info.code, result.plan) == ("invalid_arguments", ())


class TestChecks:
    """A write of a dry run fails where the write itself would."""

    @pytest.mark.parametrize(
        ("code", "environ", "expected"),
        [
            ("segment.track{evnt = 1}", {"KOSMO_SEGMENT_WRITE_KEY": "k"}, "invalid_arguments"),
            ("segment.work.track('E', 'u')", {"KOSMO_SEGMENT_WRITE_KEY": "k"}, "unknown_account"),
            ("segment.track('E', 'u')", {}, "credentials_missing"),
            (
                "segment.track('E', 'u')",
                {"KOSMO_SEGMENT_WRITE_KEY": "k", "KOSMO_SEGMENT_WRITE": "deny"},
                "denied",
            ),
        ],
    )
    def test_what_would_fail_fails(
        self, code: str, environ: dict[str, str], expected: str
    ) -> None:
        """The card: validated, account found, policy."""
        result = run(f"app.integrations.{code}", environ=environ)
        assert result.error_info is not None
        assert (result.error_info.code, result.plan) == (expected, ())

    def test_missing_approval_is_a_warning(self) -> None:
        """The card: nobody is asked, as nothing is done."""
        environ = {"KOSMO_SEGMENT_WRITE_KEY": "k"}
        result = run(TRACK, environ=environ, ask=lambda _: pytest.fail("somebody was asked"))
        assert result.plan == (PLANNED,)
        [warning] = result.warnings
        assert warning.startswith("segment.track_event: a write to segment needs approval")
        assert run(TRACK, environ=environ, force=True).warnings == ()

    def test_read_only_denies(self) -> None:
        """Ours: as in the run itself."""
        result = run(TRACK, environ={"KOSMO_SEGMENT_WRITE_KEY": "k"}, read_only=True)
        assert result.error_info is not None
        assert result.error_info.code == "denied"

    def test_adapter_of_a_write_is_not_run(self) -> None:
        """Ours: also one that would send nothing."""
        result = run('return app.integrations.echo.change("x")', integrations=[echo], force=True)
        assert (result.result, result.plan) == (
            {"dry_run": True},
            (("echo.change", "default", {"text": "x"}),),
        )

    def test_secret_in_an_argument_is_masked(self) -> None:
        """Ours: the plan is output."""
        environ = {"KOSMO_SEGMENT_WRITE_KEY": "canary-4f1d-9c27"}
        code = 'app.integrations.segment.track{event = "the canary-4f1d-9c27", userId = "u"}'
        result = run(code, environ=environ, force=True)
        assert "canary" not in result.to_json()
        assert result.plan is not None
        assert result.plan[0].arguments["event"] == "the ********"

    def test_audit_log_has_no_planned_write(
        self, tmp_path: Path, kosmo_emulator: Emulator
    ) -> None:
        """Ours: it says what was done."""
        del kosmo_emulator
        log = tmp_path / "audit.jsonl"
        run(f"app.integrations.segment.get_current_user() {TRACK}", audit=str(log))
        assert [json.loads(line)["function"] for line in log.read_text().splitlines()] == [
            "segment.get_current_user"
        ]


class TestCommand:
    """kosmo integrations:lua --dry-run."""

    def test_plan_is_a_field_of_the_envelope(self, kosmo: Callable[..., Finished]) -> None:
        """The card: a list of records; null when it is no dry run."""
        options = [
            "integrations:lua",
            "--emulator",
            "--json",
            "-e",
            f"local r = {TRACK} return r.id",
        ]
        dry = kosmo(*options, "--dry-run")
        document = dry.json()
        assert_fits("integrations:lua", document)
        assert dry.status == 3
        assert document["meta"]["dry_run"] is True
        assert document["plan"] == [
            dict(zip(("function", "account", "arguments"), PLANNED, strict=True))
        ]
        real = kosmo(*options).json()
        assert_fits("integrations:lua", real)
        assert (real["plan"], real["meta"]["dry_run"]) == (None, False)

    def test_plan_is_text_after_what_was_printed(self, kosmo: Callable[..., Finished]) -> None:
        """The card: on stdout."""
        code = f'print("printed") {TRACK} app.integrations.posthog.work.capture_event("E", "d")'
        done = kosmo("integrations:lua", "--emulator", "--dry-run", "-e", code)
        assert (done.status, done.stderr) == (0, "")
        assert done.stdout == (
            "printed\n"
            "2 writes planned, none made\n"
            '  segment.track_event {"event": "E", "userId": "u"}\n'
            '  posthog.posthog_capture_event as work {"distinct_id": "d", "event": "E"}\n'
        )

    def test_plan_is_in_the_last_line_of_a_stream(
        self, kosmo: Callable[..., Finished], tmp_path: Path
    ) -> None:
        """Ours: --output jsonl and --trace go together with it; the planned write has no effect."""
        options = [
            "--emulator",
            "--dry-run",
            "--output=jsonl",
            "--trace=trace.jsonl",
            "--eval",
            TRACK,
        ]
        done = kosmo("integrations:lua", *options)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["type"] for line in lines] == ["start", "call", "result"]
        for line in lines:
            assert_line_fits("stream", line)
        planned = dict(zip(("function", "account", "arguments"), PLANNED, strict=True))
        assert lines[-1]["plan"] == [planned]
        [traced] = [
            json.loads(line) for line in (tmp_path / "trace.jsonl").read_text().splitlines()
        ]
        for call in (lines[1], traced):
            assert (call["function"], call["effect"], call["attempts"]) == (PLANNED[0], "none", 0)
