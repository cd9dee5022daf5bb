"""The sandbox: what a script cannot do, and what it is told when it reaches a limit."""

import re
from collections.abc import Callable

import pytest
from conftest import Finished, echo

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import ConfigError


class TestPlaceOfAnError:
    """File, line and traceback of what failed."""

    SCRIPT = """local function inner(value)
  return {} + value
end
local function outer()
  local sum = inner(1)
  return sum
end
local total = outer()
return total
"""

    def test_traceback_shows_the_script_and_nothing_of_the_host(
        self, run: Callable[..., Result]
    ) -> None:
        """Ours: each frame is the script's own, with its line."""
        result = run(self.SCRIPT, name="workflow.lua")
        info = result.error_info
        assert info is not None
        assert result.error == "workflow.lua:2: attempt to perform arithmetic on a table value"
        assert (info.file, info.line) == ("workflow.lua", 2)
        assert info.traceback == (
            "stack traceback:\n"
            "\tworkflow.lua:2: in upvalue 'inner'\n"
            "\tworkflow.lua:5: in local 'outer'\n"
            "\tworkflow.lua:8: in main chunk"
        )

    @pytest.mark.parametrize(
        "statement",
        [
            "setmetatable(1, {})",
            "coroutine.resume(1)",
            "coroutine.close(coroutine.running())",
            "load()",
            'string.format("%d", "x")',
            'string.format("%p", {})',
            'print(setmetatable({}, {__tostring = function() error("x") end}))',
            "setmetatable({}, {__gc = print})",
            'collectgarbage("stop")',
            "math.randomseed({})",
            "json.decode(1)",
            'json.decode("[")',
            "json.encode({[print] = 1})",
            "json.object(1)",
            "regex.match(1, 2)",
            "regex.match('x', '(')",
            "docs.read()",
            "app.integrations.segment.nosuch()",
            "app.integrations.segment.track(print)",
            "app.x = 1",
            "debug.traceback('x', 'y')",
            "coroutine.wrap(function() setmetatable(1, {}) end)()",
            "coroutine.wrap(setmetatable)(1, {})",
            "local ok, problem = pcall(setmetatable, 1, {}) error(problem, 0)",
            "xpcall(setmetatable, function(problem) error(problem, 0) end, 1, {}) error('x')",
        ],
    )
    def test_line_is_the_scripts_also_where_the_host_found_the_error(
        self, run: Callable[..., Result], statement: str
    ) -> None:
        """Ours: an error is where the script called, not where the host noticed."""
        result = run(f"local x = 1\n{statement}\nlocal y = 2", name="w.lua")
        assert result.error is not None
        assert result.error_info is not None
        assert result.error.startswith("w.lua:2: ")
        assert (result.error_info.file, result.error_info.line) == ("w.lua", 2)
        assert "[kosmo]" not in f"{result.error}{result.error_info.traceback}"

    def test_limit_says_the_line_where_it_was_reached(self, run: Callable[..., Result]) -> None:
        """Ours: the line of the loop is what one wants to know."""
        result = Kosmo(environ={}, limits=Limits(cpu=0.1)).run("local x = 1\nwhile true do\nend")
        assert result.error is not None
        assert re.fullmatch(r"eval:[23]: CPU limit of 0\.1 s exceeded", result.error)
        out = run('local s\ns = ("x"):rep(1e9)')
        assert out.error_info is not None
        assert out.error_info.type == "memory_limit"

    def test_own_error_table_is_in_the_details(self, run: Callable[..., Result]) -> None:
        """Ours: `code` is always kosmo's, what a script raises is in `details`."""
        result = run('error({code = "mine", message = "custom", items = {1, 2}})')
        assert result.error_info is not None
        assert result.error == "eval:1: custom"
        assert result.error_info.code == "script_error"
        assert result.error_info.details == {"code": "mine", "message": "custom", "items": [1, 2]}

    @pytest.mark.parametrize(
        ("problem", "sentence"),
        [
            ("nil", "eval:1: nil"),
            ("42", "42"),
            ("0/0", "nan"),
            ("{}", "eval:1: {}"),
            ("setmetatable({}, {__tostring = function() return 'mine' end})", "eval:1: mine"),
        ],
    )
    def test_any_value_can_be_an_error(
        self, run: Callable[..., Result], problem: str, sentence: str
    ) -> None:
        """Lua: an error is any value."""
        result = run(f"error({problem})")
        assert result.error is not None
        assert result.error.endswith(sentence.removeprefix("eval:1: "))

    def test_huge_error_is_cut(self, run: Callable[..., Result]) -> None:
        """Ours: a message is to be read."""
        result = run('error(("x"):rep(5e6))')
        assert result.error is not None
        assert len(result.error) < 100_000


class TestLimits:
    """Each limit at its edge."""

    def test_output_up_to_the_limit_is_printed(self) -> None:
        """Ours: the limit counts each text and its end of line."""
        limited = Kosmo(environ={}, limits=Limits(output=10))
        assert limited.run('print("1234") print("6789")').success
        result = limited.run('print("1234") print("67890")')
        assert result.error == "eval:1: output limit of 10 bytes exceeded"
        assert result.output == "1234"

    def test_result_up_to_the_limit_is_returned(self) -> None:
        """Ours: the limit counts the bytes of its JSON."""
        limited = Kosmo(environ={}, limits=Limits(result=7))
        assert limited.run('return "12345"').result == "12345"
        result = limited.run('return "123456"')
        assert (result.error, result.result) == ("result limit of 7 bytes exceeded", None)

    def test_calls_up_to_the_limit_are_made(self, kosmo_emulator: Emulator) -> None:
        """Ours: one more ends the run, also inside a pcall."""
        limited = Kosmo(limits=Limits(calls=2))
        result = limited.run(
            "while true do pcall(app.integrations.segment.track, {event = 'E', userId = 'u'}) end"
        )
        assert result.error == "eval:1: limit of 2 calls exceeded"
        assert len(kosmo_emulator.events()) == 2

    def test_time_of_the_run_ends_what_uses_no_cpu(self, kosmo_emulator: Emulator) -> None:
        """Ours: waiting for a service counts here, and the call is logged as cut off."""
        kosmo_emulator.fault(delay=20)
        result = Kosmo(limits=Limits(wall=1)).run(
            "app.integrations.segment.track{event = 'E', userId = 'u'}"
        )
        assert result.error == "time limit of 1 s exceeded"
        assert [(call.effect, call.error and call.error.code) for call in result.call_log] == [
            ("unknown", "interrupted")
        ]

    def test_waiting_uses_no_cpu(self, kosmo_emulator: Emulator) -> None:
        """Ours: a slow service does not use up the CPU of a script, nor does its adapter."""
        kosmo_emulator.fault(delay=0.3)
        result = Kosmo(limits=Limits(cpu=0.25)).run(
            "return app.integrations.segment.track{event = 'E', userId = 'u'}.success"
        )
        assert (result.error, result.result) == (None, True)

    def test_memory_limit_is_what_the_script_gets(self, kosmo: Callable[..., Finished]) -> None:
        """The card: --memory-limit counts the script's own bytes."""
        code = 'local t = {} for i = 1, 1000 do t[i] = ("x"):rep(1000) .. i end return #t'
        enough = kosmo("integrations:lua", "--memory-limit=1300000", "--json", "--eval", code)
        assert enough.json()["result"] == 1000
        assert 1_000_000 < enough.json()["memory_usage"] < 1_300_000
        little = kosmo("integrations:lua", "--memory-limit=900000", "--json", "--eval", code)
        assert little.json()["error_info"]["type"] == "memory_limit"

    @pytest.mark.parametrize("memory", [1, 1000, 100_000])
    def test_tiny_memory_ends_in_an_orderly_way(
        self, kosmo: Callable[..., Finished], memory: int
    ) -> None:
        """Ours: lupa aborts the process when a value cannot be pushed; it never comes to that."""
        code = 'print(("x"):rep(500)) return #docs.list() + #docs.read("segment")'
        done = kosmo("integrations:lua", f"--memory-limit={memory}", "--json", "--eval", code)
        document = done.json()
        assert document["success"] or document["error_info"]["type"] == "memory_limit"

    @pytest.mark.parametrize("limit", ["1e9", "1e300"])
    def test_limit_may_be_huge(self, kosmo: Callable[..., Finished], limit: str) -> None:
        """Ours: who wants no limit writes a large number."""
        limits = (
            f"--cpu-limit={limit}",
            f"--timeout={limit}",
            "--memory-limit=99999999999999999999",
        )
        assert kosmo("integrations:lua", *limits, "--eval", "return 1").stdout == "1\n"

    @pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
    @pytest.mark.parametrize("name", Limits._fields)
    def test_limit_that_limits_nothing_is_refused(self, name: str, value: float) -> None:
        """Ours: zero and infinity are mistakes."""
        with pytest.raises(ConfigError, match=name):
            Kosmo(limits=Limits(**{name: value}))  # type: ignore[arg-type]  # the case


class TestCallLog:
    """The log is bounded, the totals are not."""

    def test_first_and_last_500_calls_are_kept_and_each_that_failed(self) -> None:
        """Ours: what went wrong is never dropped; the middle is."""
        code = """
        for i = 1, 1201 do pcall(app.integrations.echo[i == 600 and "fail" or "say"], {text = "x"}) end
        """
        result = Kosmo(integrations=[echo]).run(code)
        assert len(result.call_log) == 1001
        assert [call.function for call in result.call_log if call.error] == ["echo.fail"]
        assert result.call_log[500].error is not None
        assert result.meta.calls._asdict() == {
            "total": 1201,
            "reads": 1201,
            "writes": 0,
            "failed": 1,
            "unknown": 0,
            "wrote": 0,
        }


def test_one_run_leaves_nothing_for_the_next() -> None:
    """Ours: each run has a Lua of its own."""
    kosmo = Kosmo(environ={})
    kosmo.run('leak = 1 string.rep = nil rawset(app, "x", 1) json.null = 5 math.randomseed(1)')
    result = kosmo.run('return {leak, string.rep("x", 2), tostring(app.x), tostring(json.null)}')
    assert result.result == [None, "xx", "app.x", "null"]


def test_a_run_that_is_over_sends_nothing_more() -> None:
    """Ours: a __close of the script still runs after a limit, and a write in it does not leave."""
    code = """
        local track = app.integrations.segment.track_event
        local late <close> = setmetatable({}, {__close = function()
          track({event = "Late", userId = "u"})
        end})
        track({event = "In time", userId = "u"})
        print(("x"):rep(9e6))
    """
    with Kosmo(environ={}, emulator=True) as kosmo:
        result = kosmo.run(code)
        sent = [event["message"] for event in kosmo.emulator.events("segment")]
    assert result.error_info is not None
    assert result.error_info.code == "output_limit"
    assert [message["event"] for message in sent if isinstance(message, dict)] == ["In time"]
