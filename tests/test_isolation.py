"""Kosmo(isolation="process"): scripts of a program with threads, in processes of their own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import echo, poll

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.isolation import Isolation
from kosmo_lua.policy import Question
from kosmo_lua.values import Json

TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that have not ended."""
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [child for child in pids if _parent(child) == pid]


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent = stat.rpartition(")")[2].split()[:2]
    return None if state == "Z" else int(parent)


def server() -> int:
    """Return the process that forks those of the scripts."""
    (found,) = (
        child
        for child in children(os.getpid())
        if b"kosmo_lua.workers.server" in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    return found


def descendants(pid: int) -> list[int]:
    """Return its children, theirs, and so on."""
    own = children(pid)
    return own + [grandchild for child in own for grandchild in descendants(child)]


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks in /proc")


class TestRun:
    """A run is what it is in a thread, except that it can always be ended."""

    def test_result_is_that_of_a_thread(self, kosmo_emulator: Emulator) -> None:
        """The card: output, result, calls, names and arguments cross unchanged."""
        code = f'print(arg[1], ...) local r = {TRACK} return {{r.success, "é", 2^53, arg[0]}}'
        thread, process = (
            Kosmo(isolation=isolation).run(code, name="w.lua", arguments=["a", "ü"])
            for isolation in ("thread", "process")
        )
        assert process.result == [True, "é", 2**53, "w.lua"]
        assert (process.output, process.result) == (thread.output, thread.result)
        assert [call.function for call in process.call_log] == ["segment.track_event"]
        assert len(kosmo_emulator.events()) == 2

    def test_program_itself_is_never_forked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The card: a fork of a program with threads can wait for ever for a lock."""
        monkeypatch.setattr(os, "fork", lambda: pytest.fail("the program was forked"))
        assert Kosmo(environ={}, isolation="process").run("return 1").result == 1

    def test_accounts_are_those_of_environ(self, kosmo_emulator: Emulator) -> None:
        """Ours: `environ` crosses, and the environment of the program is not asked."""
        result = Kosmo(environ={}, force=True, isolation="process").run(TRACK)
        assert result.error_info is not None
        assert result.error_info.code == "credentials_missing"
        environ = {
            "KOSMO_SEGMENT_WRITE_KEY": "mine",
            "KOSMO_SEGMENT_TRACKING_URL": kosmo_emulator.url,
        }
        assert Kosmo(environ=environ, force=True, isolation="process").run(TRACK).success
        assert [event["write_key"] for event in kosmo_emulator.events()] == ["mine"]

    def test_emulator_is_the_programs(self) -> None:
        """Ours: what the script sent is there to be looked at."""
        with Kosmo(emulator=True, isolation="process") as kosmo:
            assert kosmo.run(TRACK).success
            assert len(kosmo.emulator.events()) == 1

    def test_output_comes_as_it_is_printed(self) -> None:
        """Ours: on_output is called in the program, in the thread that waits for the run."""
        seen: list[tuple[str, int]] = []
        kosmo = Kosmo(environ={}, isolation="process")
        kosmo.run("print(1) print(2)", on_output=lambda t: seen.append((t, threading.get_ident())))
        assert seen == [("1", threading.get_ident()), ("2", threading.get_ident())]

    @pytest.mark.parametrize("answer", [True, False])
    def test_ask_is_called_in_the_program(self, answer: bool) -> None:  # noqa: FBT001  # the case
        """Ours: the answer crosses."""
        asked: list[Question] = []

        def ask(question: Question) -> bool:
            asked.append(question)
            return answer

        environ = {
            "KOSMO_SEGMENT_WRITE_KEY": "key",
            "KOSMO_SEGMENT_TRACKING_URL": "http://[::1]:9",
        }
        result = Kosmo(environ=environ, ask=ask, isolation="process").run(TRACK)
        assert [question.function for question in asked] == ["segment.track_event"]
        assert result.error_info is not None
        assert result.error_info.code == ("unreachable" if answer else "approval_required")

    def test_python_objects_cannot_cross(self) -> None:
        """The card: integrations given as objects need a thread, and the error says so."""
        result = Kosmo(environ={}, integrations=[echo], isolation="process").run("return 1")
        assert result.error_info is not None
        assert (result.error_info.code, result.exit_status) == ("usage", 2)
        assert "integrations" in str(result.error)
        assert 'isolation="thread"' in str(result.error_info.hint)

    def test_random_numbers_differ_from_run_to_run(self) -> None:
        """Ours: the children are copies of one process, but not of its dice."""
        kosmo = Kosmo(environ={}, isolation="process")
        numbers = {str(kosmo.run("return math.random(1 << 60)").result) for _ in range(5)}
        assert len(numbers) == 5


class TestEnd:
    """Whatever the script does, and whoever dies."""

    def test_script_inside_c_code_is_ended(self) -> None:
        """The card: at its limit, and no thread is left behind."""
        before = threading.active_count()
        kosmo = Kosmo(environ={}, limits=Limits(cpu=0.2), isolation="process")
        began = time.monotonic()
        result = kosmo.run('print("before") return (("a"):rep(300)):find(".-.-.-.-b")')
        assert time.monotonic() - began < 10
        assert (result.error, result.output) == ("CPU limit of 0.2 s exceeded", "before")
        assert threading.active_count() == before

    def test_loop_is_ended_with_its_line(self) -> None:
        """Ours: where the script was is said whenever it can be known."""
        kosmo = Kosmo(environ={}, limits=Limits(cpu=0.2), isolation="process")
        result = kosmo.run("local x = 1\nwhile true do\nend", name="w.lua")
        assert str(result.error).startswith(("w.lua:2: CPU limit", "w.lua:3: CPU limit"))

    @needs_proc
    def test_crash_of_the_script_is_a_result(self) -> None:
        """Ours: with what it had printed; the program and the next run are unharmed."""

        def crash(_: str) -> None:
            for child in children(server()):
                os.kill(child, signal.SIGSEGV)

        kosmo = Kosmo(environ={}, isolation="process")
        kosmo.run("return 1")
        poll(lambda: not children(server()))
        result = kosmo.run("print(1) while true do end", on_output=crash)
        assert result.error == "the process of the script ended by SIGSEGV"
        assert (result.exit_status, result.output) == (70, "1")
        assert kosmo.run("return 2").result == 2

    @needs_proc
    def test_server_that_has_died_is_started_again(self) -> None:
        """Ours: the run at that moment ends as a crash, the next one works."""

        def kill(_: str) -> None:
            os.kill(server(), signal.SIGKILL)

        kosmo = Kosmo(environ={}, isolation="process", limits=Limits(cpu=0.3))
        kosmo.run("return 1")
        result = kosmo.run("print(1) while true do pcall(error) end", on_output=kill)
        assert result.error_info is not None
        assert result.error_info.code in ("crash", "cpu_limit")
        assert kosmo.run("return 2").result == 2

    @needs_proc
    def test_nothing_goes_on_when_the_program_is_killed(self, kosmo_emulator: Emulator) -> None:
        """The card: a child that went on sending is the worst outcome of all."""
        program = f"""if True:
            from kosmo_lua import Kosmo
            Kosmo(isolation="process").run('while true do pcall(function() {TRACK} end) end')
        """
        with subprocess.Popen([sys.executable, "-c", program]) as process:  # noqa: S603  # our own
            poll(kosmo_emulator.events)
            started = descendants(process.pid)
            process.kill()
        assert len(started) == 2
        poll(lambda: all(_parent(pid) is None for pid in started))

    @needs_proc
    def test_children_end_with_an_exception_of_the_program(self) -> None:
        """Ours: Ctrl-C, or an error in on_output, ends the script too."""

        def fail(text: str) -> None:
            raise LookupError(text)

        kosmo = Kosmo(environ={}, isolation="process")
        with pytest.raises(LookupError, match="1"):
            kosmo.run("print(1) while true do end", on_output=fail)
        poll(lambda: not children(server()))


ISOLATIONS = ["thread", "process", *(["fork"] if hasattr(os, "fork") else [])]


@pytest.fixture(params=ISOLATIONS)
def session_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Result]]:
    """Run scripts in one session, in each kind of isolation."""
    limits = Limits(cpu=0.3, output=10, calls=1)
    kosmo = Kosmo(environ={}, isolation=request.param, limits=limits)
    with kosmo.session() as session:
        yield session.run


class TestSession:
    """One Lua state for several scripts."""

    def test_globals_stay(self, session_of: Callable[[str], Result]) -> None:
        """The card: what one script leaves, the next one finds."""
        assert session_of("x = {n = 1} string.extra = 'kept'").success
        assert session_of("x.n = x.n + 1 return x.n, string.extra").result == [2, "kept"]

    def test_limits_count_for_each_script(self, session_of: Callable[[str], Result]) -> None:
        """Ours: output, CPU and calls begin anew."""
        for _ in range(3):
            assert session_of("print('1234567')").success
        over = session_of("print('12345678901')")
        assert over.error_info is not None
        assert over.error_info.code == "output_limit"
        busy = "local t = os.clock() while os.clock() - t < 0.2 do end return 1"
        assert [session_of(busy).result for _ in range(3)] == [1, 1, 1]

    def test_soft_stop_keeps_the_state(self, session_of: Callable[[str], Result]) -> None:
        """The card: a script that a limit has ended leaves what it had done."""
        session_of("x = 1")
        stopped = session_of("x = 2 while true do pcall(error) end")
        assert stopped.error_info is not None
        assert stopped.error_info.code == "cpu_limit"
        assert session_of("return x").result == 2

    @needs_proc
    def test_script_is_not_stopped_for_the_time_of_the_last_one(self) -> None:
        """Ours: also when its process has not begun it yet."""
        limits = Limits(cpu=0.1)
        with Kosmo(environ={}, isolation="process", limits=limits) as kosmo:
            session = kosmo.session()
            assert session.run("while true do end").error == "eval:1: CPU limit of 0.1 s exceeded"
            (child,) = children(server())
            os.kill(child, signal.SIGSTOP)
            threading.Timer(0.5, os.kill, (child, signal.SIGCONT)).start()
            assert session.run("return 1").result == 1
            session.close()

    def test_full_memory_can_be_freed(self, session_of: Callable[[str], Result]) -> None:
        """Ours: what the globals hold counts, and the next script may drop it."""
        full = session_of("t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end")
        assert full.error_info is not None
        assert full.error_info.code == "memory_limit"
        assert session_of("t = nil").success
        assert session_of("return #('x'):rep(1e7)").result == 10_000_000

    def test_error_leaves_nothing_for_the_next(self, session_of: Callable[[str], Result]) -> None:
        """Ours: each script has an account of its own."""
        assert session_of("error('one')").error == "eval:1: one"
        fine = session_of("return 1")
        assert (fine.error, fine.result, fine.output) == (None, 1, "")


@pytest.mark.parametrize("isolation", ["process", "fork"])
def test_state_that_cannot_be_kept_is_said_to_be_lost(isolation: str) -> None:
    """The card: a hard stop starts a new state and says so."""
    kosmo = Kosmo(environ={}, isolation=isolation, limits=Limits(cpu=0.2))  # type: ignore[arg-type]  # a parameter
    with kosmo.session() as session:
        session.run("x = 1")
        assert not session.lost
        session.run('(("a"):rep(300)):find(".-.-.-.-b")')
        assert session.lost
        assert session.run("return tostring(x)").result == "nil"
        assert not session.lost


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_threads_that_share_a_session_take_turns(isolation: Isolation) -> None:
    """Ours: there is one Lua state, and each thread gets its own outcome."""
    with (
        Kosmo(environ={}, isolation=isolation).session() as session,
        ThreadPoolExecutor(4) as pool,
    ):

        def run(number: int) -> tuple[Json, str]:
            result = session.run(f"for i = 1, 1e6 do end print({number}) return {number}")
            return result.result, result.output

        outcomes = list(pool.map(run, range(12)))
    assert outcomes == [(number, str(number)) for number in range(12)]


def test_fork_in_a_thread_is_refused() -> None:
    """Ours: a thread cannot hear of signals, and must not fork; the error says what can."""
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(Kosmo(environ={}, isolation="fork").run, "return 1").result(20)
    assert result.error_info is not None
    assert result.error_info.code == "usage"
    assert result.error_info.hint == 'Use isolation="process".'
