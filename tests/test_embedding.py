"""Kosmo as a library: run, call, callbacks, threads."""

import inspect
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
from conftest import ROOT, echo

import kosmo_lua
from kosmo_lua import Kosmo, KosmoError, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation
from kosmo_lua.policy import Question

GOOD = {"event": "E", "userId": "u"}
LOOP = list[Any]()
LOOP.append(LOOP)
TRACK = 'return app.integrations.segment.track({event = "E", userId = "u"}).success'


def test_public_names_are_these() -> None:
    """The card: `from kosmo_lua import ...`; each name is found, and no other is promised."""
    assert kosmo_lua.__all__ == [
        "CallResult",
        "Config",
        "Kosmo",
        "KosmoError",
        "Limits",
        "Progress",
        "Result",
        "RunEvent",
        "__version__",
    ]
    *classes, event, _ = kosmo_lua.__all__
    assert [getattr(kosmo_lua, name).__name__ for name in classes] == classes
    kinds = [each.__name__ for each in get_args(getattr(kosmo_lua, event))]
    assert kinds == ["RunStarted", "Printed", "Warned", "CallWaits", "CallSteps", "CallEnded"]
    with pytest.raises(AttributeError):
        kosmo_lua.nosuch  # noqa: B018  # raises


def test_the_page_has_every_option_of_kosmo() -> None:
    """Ours: in one table, and none that is gone."""
    page = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^\| Option of `Kosmo`.*\n((?:\|.*\n)+)", page, re.MULTILINE)
    told = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()))
    assert sorted(told) == sorted(inspect.signature(Kosmo).parameters)


class TestRun:
    """Kosmo.run."""

    def test_result_has_the_content_of_the_envelope(self, run: Callable[..., Result]) -> None:
        """The card: a typed Result, whose fields are those of the JSON."""
        result = run('print("a") dump("b") return 1 + 1')
        assert (result.success, result.output, result.result) == (True, "a\nb", 2)
        assert (result.error, result.error_info, result.exit_status) == (None, None, 0)
        assert json.loads(result.to_json()) == result.to_dict()
        assert result.to_dict()["schema_version"] == 1

    def test_failure_of_a_script_is_not_raised(self, run: Callable[..., Result]) -> None:
        """Ours: whatever the script is, run returns."""
        codes = {
            code: result.error_info and result.error_info.code
            for code in ["error('x')", "x =", "", b"\xff", "app.integrations.nosuch.x()"]
            for result in [run(code)]
        }
        assert codes == {
            "error('x')": "script_error",
            "x =": "syntax_error",
            "": "usage",
            b"\xff": "syntax_error",
            "app.integrations.nosuch.x()": "unknown_integration",
        }

    def test_name_and_arguments_are_the_scripts(self, run: Callable[..., Result]) -> None:
        """Ours: as the command has them."""
        result = run("return arg", name="w.lua", arguments=["a", "é"])
        assert result.result == {"0": "w.lua", "1": "a", "2": "é"}
        assert run("error('x')", name="w.lua").error == "w.lua:1: x"

    def test_output_is_given_as_it_comes(self, run: Callable[..., Result]) -> None:
        """Ours: on_output gets each text once, before the script goes on."""
        seen: list[str] = []
        result = run('print("a", 1) print("b\\nc") error("x")', on_output=seen.append)
        assert seen == ["a\t1", "b\nc"]
        assert result.output == "a\t1\nb\nc"

    def test_os_environ_is_not_needed(self, kosmo_emulator: Emulator) -> None:
        """Ours: accounts come from `environ`, where it is given, and from nowhere else."""
        result = Kosmo(environ={}, force=True).run(TRACK)
        assert result.error_info is not None
        assert result.error_info.code == "credentials_missing"
        assert kosmo_emulator.events() == []

    def test_accounts_have_their_own_credentials(self, kosmo_emulator: Emulator) -> None:
        """The card: an account is a name between the integration and the function."""
        url = kosmo_emulator.url
        environ = {
            "KOSMO_SEGMENT_WRITE": "allow",
            "KOSMO_SEGMENT__PRODUCTION__WRITE_KEY": "production-key",
            "KOSMO_SEGMENT__PRODUCTION__TRACKING_URL": url,
            "SEGMENT_WRITE_KEY": "vendor-key",
            "KOSMO_SEGMENT_TRACKING_URL": url,
        }
        code = """
        local segment = app.integrations.segment
        for _, account in ipairs({segment, segment.default, segment.production}) do
          account.track({event = "E", userId = "u"})
        end
        """
        result = Kosmo(environ=environ).run(code)
        assert result.error is None
        assert [event["write_key"] for event in kosmo_emulator.events()] == [
            "vendor-key",
            "vendor-key",
            "production-key",
        ]
        assert [call.account for call in result.call_log] == ["default", "default", "production"]


class TestCall:
    """Kosmo.call."""

    def test_call_returns_what_the_service_said(self) -> None:
        """The card: `Kosmo.call("segment.track", {...})`, here on the emulator."""
        with Kosmo(emulator=True) as kosmo:
            answer = kosmo.call("segment.track", {**GOOD})
            user = kosmo.call("segment.get_current_user")
            (event,) = kosmo.emulator.events()
        assert isinstance(answer, dict)
        assert isinstance(user, dict)
        assert answer["success"] is True
        assert user["slug"] == "my-workspace"
        assert event["message"]["messageId"] == answer["message_id"]  # type: ignore[index, call-overload]  # an event

    @pytest.mark.parametrize(
        ("name", "account"),
        [
            ("segment.track", "default"),
            ("segment.track_event", "default"),
            ("segment.segment_track_event", "default"),
            ("segment_track", "default"),
            ("app.integrations.segment.track", "default"),
            ("segment.production.track", "default"),
            ("segment.track", "production"),
            ("app.integrations.segment.track", "production"),
            ("segment_track", "production"),
        ],
    )
    def test_every_spelling_is_the_same_call(self, name: str, account: str) -> None:
        """The card: the names of the seeds, and `account=` for each of them."""
        with Kosmo(emulator=True) as kosmo:
            kosmo.call(name, {**GOOD}, account=account)
            assert len(kosmo.emulator.events()) == 1

    @pytest.mark.parametrize(
        ("name", "arguments", "code"),
        [
            ("segment.trak", {**GOOD}, "unknown_function"),
            ("segmnt.track", {**GOOD}, "unknown_integration"),
            ("segment", {}, "unknown_function"),
            ("", {}, "unknown_integration"),
            ("segment.track", {"evnt": "E"}, "invalid_arguments"),
            ("segment.track", {**GOOD, "properties": {"x": float("nan")}}, "invalid_arguments"),
            ("segment.track", {**GOOD, "properties": {"x": {1, 2}}}, "invalid_arguments"),
            ("segment.track", {**GOOD, "properties": {"x": "y" * 33_000}}, "invalid_arguments"),
            ("segment.track", {**GOOD, "properties": {"x": LOOP}}, "invalid_arguments"),
            ("segment.track", [1, 2], "invalid_arguments"),
        ],
    )
    def test_mistake_is_raised_and_nothing_sent(
        self, name: str, arguments: object, code: str
    ) -> None:
        """Ours: `except KosmoError as error: error.code`."""
        with Kosmo(emulator=True) as kosmo:
            with pytest.raises(KosmoError) as caught:
                kosmo.call(name, arguments)  # type: ignore[arg-type]  # the case
            assert (caught.value.code, caught.value.effect) == (code, "none")
            assert kosmo.emulator.events() == []

    def test_failure_of_the_service_says_what_became_of_it(self) -> None:
        """Ours: `effect` is what one needs to know about a write."""
        with Kosmo(emulator=True) as kosmo:
            kosmo.emulator.start()
            kosmo.emulator.fault(status=503)
            kosmo.emulator.fault(cut="after")
            seen = []
            for _ in range(2):
                with pytest.raises(KosmoError) as caught:
                    kosmo.call("segment.track", {**GOOD})
                error = caught.value
                seen.append((error.code, error.status, error.effect, error.retryable))
        assert seen == [
            ("service_error", 503, "sent", True),
            ("unreachable", None, "unknown", True),
        ]

    def test_write_needs_permission_here_too(self, kosmo_emulator: Emulator) -> None:
        """Ours: Kosmo itself never prompts; without `ask` such a call fails."""
        environ = {**PLAIN, "KOSMO_SEGMENT_TRACKING_URL": kosmo_emulator.url}
        with Kosmo(environ=environ) as kosmo, pytest.raises(KosmoError) as caught:
            kosmo.call("segment.track", {**GOOD})
        assert caught.value.code == "approval_required"
        assert "Kosmo(force=True)" in str(caught.value.hint)
        assert kosmo_emulator.events() == []


PLAIN = {"KOSMO_SEGMENT_WRITE_KEY": "key"}


class TestAsk:
    """The callback that approves writes."""

    @pytest.mark.parametrize("answer", [True, False])
    def test_ask_decides(self, answer: bool) -> None:  # noqa: FBT001  # the case
        """Ours: it gets the function, the account and the arguments."""
        asked: list[Question] = []

        def ask(question: Question) -> bool:
            asked.append(question)
            return answer

        kosmo = Kosmo(environ={}, integrations=[echo], ask=ask)
        result = kosmo.run('return app.integrations.echo.change({text = "x"}).text')
        assert asked == [Question("echo.change", "default", {"text": "x"})]
        assert (result.result, result.error_info and result.error_info.code) == (
            ("x", None) if answer else (None, "approval_required")
        )

    def test_clock_stands_while_somebody_is_asked(self) -> None:
        """Ours: a run has the time of its limit, however long the answer takes."""

        def ask(question: Question) -> bool:
            threading.Event().wait(0.4)
            return bool(question)

        kosmo = Kosmo(environ={}, integrations=[echo], ask=ask, limits=Limits(wall=0.3))
        assert kosmo.run('return app.integrations.echo.change({text = "x"}).text').result == "x"

    def test_read_is_not_asked_about(self) -> None:
        """The card: reads are allowed."""

        def ask(question: Question) -> bool:
            raise AssertionError(question)

        kosmo = Kosmo(environ={}, integrations=[echo], ask=ask)
        assert kosmo.run('return app.integrations.echo.say({text = "x"}).text').result == "x"


class TestOwnIntegrations:
    """Kosmo(integrations=[...])."""

    def test_only_those_given_are_there(self) -> None:
        """Ours: nothing installed is added."""
        kosmo = Kosmo(environ={}, integrations=[echo])
        assert kosmo.run(
            "local r = {} for name in pairs(app.integrations) do r[#r + 1] = name end return r"
        ).result == ["echo"]
        assert kosmo.call("echo.say", {"text": "x"}) == {"text": "x"}

    def test_defect_of_an_adapter_is_told_and_logged(self) -> None:
        """Ours: a stranger's exception is an error of kind internal, and the next call works."""
        result = Kosmo(environ={}, integrations=[echo]).run(
            """
            local ok, problem = pcall(app.integrations.echo.fail, {text = "x"})
            return {problem.code, problem.message, app.integrations.echo.say({text = "y"}).text}
            """
        )
        assert result.result == [
            "internal",
            "echo.fail: a defect of the integration, LookupError: x",
            "y",
        ]
        assert [call.error and call.error.code for call in result.call_log] == ["internal", None]


SCRIPT = """
local sum = 0
for i = 1, 20000 do sum = sum + i end
for i = 1, 5 do app.integrations.segment.track({event = arg[1], userId = tostring(i)}) end
print(arg[1])
return {sum, arg[1]}
"""


@pytest.mark.parametrize("isolation", ["thread", "process"])
class TestThreads:
    """Many runs at once."""

    def test_each_thread_may_have_its_own(
        self, kosmo_emulator: Emulator, isolation: Isolation
    ) -> None:
        """Ours: no run sees another one's output, result or calls."""

        def run(number: int) -> Result:
            with Kosmo(isolation=isolation) as kosmo:
                return kosmo.run(SCRIPT, arguments=[f"t{number}"])

        self.check(run)
        assert len(kosmo_emulator.events()) == 40

    def test_threads_may_share_one(self, isolation: Isolation) -> None:
        """Ours: the emulator that they start together is one, and has all that was sent."""
        with Kosmo(emulator=True, isolation=isolation) as kosmo:
            self.check(lambda number: kosmo.run(SCRIPT, arguments=[f"t{number}"]))
            assert len(kosmo.emulator.events()) == 40

    def test_threads_may_share_one_for_calls(self, isolation: Isolation) -> None:
        """Ours: the same for calls without a script."""
        with Kosmo(emulator=True, isolation=isolation) as kosmo, ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: kosmo.call("segment.track", {**GOOD}), range(40)))
            assert len(kosmo.emulator.events()) == len(answers) == 40

    def check(self, run: Callable[[int], Result]) -> None:
        """Run in 8 threads that begin at once, and look at each result."""
        barrier = threading.Barrier(8)

        def work(number: int) -> Result:
            barrier.wait(10)
            return run(number)

        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(work, range(8)))
        assert [result.error for result in results] == [None] * 8
        assert [result.result for result in results] == [[200010000, f"t{n}"] for n in range(8)]
        assert [result.output for result in results] == [f"t{n}" for n in range(8)]
        assert [result.meta.calls.wrote for result in results] == [5] * 8

    def test_limits_are_those_of_each_run(self, isolation: Isolation) -> None:
        """Ours: a busy neighbour uses up nobody else's CPU."""
        barrier = threading.Barrier(2)

        def run(code: str) -> Result:
            barrier.wait(10)
            return Kosmo(environ={}, limits=Limits(cpu=0.3), isolation=isolation).run(code)

        with ThreadPoolExecutor(2) as pool:
            endless, short = pool.map(run, ["while true do end", "for i = 1, 1e6 do end return 1"])
        assert (endless.error_info and endless.error_info.code, short.result) == ("cpu_limit", 1)


def test_keyboard_interrupt_reaches_the_caller() -> None:
    """Ours: Ctrl-C ends a script of a library as it would end a function, and the script stops too."""
    program = """if True:
        import threading
        from kosmo_lua import Kosmo
        try:
            tell = lambda text: print(text, flush=True)
            Kosmo(environ={}).run('print("runs") while true do end', on_output=tell)
        except KeyboardInterrupt:
            for thread in threading.enumerate():
                if thread is not threading.current_thread():
                    thread.join(10)
            print("interrupted", threading.active_count(), flush=True)
    """
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  # our own
        assert process.stdout is not None
        assert process.stdout.readline() == b"runs\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[0] == b"interrupted 1\n"
    assert process.returncode == 0
