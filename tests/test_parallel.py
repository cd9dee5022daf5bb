"""`parallel`: calls that go on at once, in code that reads as if they went one after the other."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, poll
from raw_service import Answer, RawService, Received, opens, web

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.errors import ServiceError
from kosmo_lua.http import failures
from kosmo_lua.isolation import Isolation
from kosmo_lua.lua.memory import Memory

pytestmark = pytest.mark.usefixtures("retries")

Run = Callable[[str], Result]

PERSON = "0196f1c2-0000-7000-8000-000000000101"


def web_kosmo(service: RawService, **options: Any) -> Kosmo:
    """Return a Kosmo whose only integration calls the service."""
    environ = {"KOSMO_WEB_URL": service.url, "KOSMO_WEB_WRITE": "allow"}
    return Kosmo(integrations=[web], environ={**environ, **options.pop("environ", {})}, **options)


@pytest.fixture
def lua(service: RawService) -> Run:
    """Run Lua with the namespace of the service as `web`; whatever is asked for answers with its path."""
    service.answer = lambda request: Answer(body={"path": request.path})
    kosmo = web_kosmo(service, retry_budget=0)
    return lambda code: kosmo.run(f"local web = app.integrations.web\n{code}")


def value_of(result: Result) -> Any:
    """Return the value of a script that must have succeeded."""
    assert result.error is None
    return result.result


def failing(path: str, *, status: int = 400) -> Callable[[Received], Answer]:
    """Answer with an error for one path, and with the path for every other."""
    return lambda request: Answer(status if request.path == path else 200, {"path": request.path})


def gated(gate: threading.Event, *open_paths: str) -> Callable[[Received], Answer]:
    """Let requests wait at a gate, but for some paths."""

    def answer(request: Received) -> Answer:
        if request.path not in open_paths:
            gate.wait(20)
        return Answer(body={"path": request.path})

    return answer


def test_results_are_in_the_order_of_the_items(lua: Run, service: RawService) -> None:
    """The issue: results in order, whichever call ends first."""
    first = threading.Event()

    def answer(request: Received) -> Answer:
        if request.path == "/1":
            first.wait(20)
        elif request.path == "/3":
            first.set()
        return Answer(body={"path": request.path})

    service.answer = answer
    result = lua(
        "return parallel.map({1, 2, 3}, function(n) return web.get{path = '' .. n}.path end)"
    )
    assert value_of(result) == ["/1", "/2", "/3"]


def test_function_gets_the_item_and_its_place(run: Run) -> None:
    """Ours: as `ipairs` tells the index, but the item first."""
    code = "return parallel.map({'a', 'b'}, function(item, index) return item .. index end)"
    assert value_of(run(code)) == ["a1", "b2"]


def test_named_functions_give_named_results(lua: Run) -> None:
    """The issue: parallel.all{a = fn, b = fn}."""
    code = """return parallel.all{
        user = function() return web.get{path = "user"} end,
        plan = function() return "free" end,
    }"""
    assert value_of(lua(code)) == {"plan": "free", "user": {"path": "/user"}}


def test_nothing_is_a_result_too(run: Run) -> None:
    """Ours: a hole would change the length of the list."""
    code = """
    local results = parallel.map({1, 2, 3}, function(n) if n ~= 2 then return n end end)
    return results, #results, results[2] == json.null"""
    assert value_of(run(code)) == [[1, None, 3], 3, True]


def test_empty_list_has_an_empty_list_of_results(run: Run) -> None:
    """Ours: a list, and no object."""
    assert value_of(run("return parallel.map({}, print), parallel.all{}")) == [[], []]


def test_iterator_gives_the_items_as_there_is_room(lua: Run, service: RawService) -> None:
    """Ours: what an iterator gives is not asked for before a task can begin with it."""
    code = """
    local given, most = 0, 0
    local done = 0
    parallel.map(function()
        if given == 20 then return nil end
        given = given + 1
        most = math.max(most, given - done)
        return given
    end, function(n) web.get{path = "x"} done = done + 1 end, {limit = 4})
    return given, most"""
    assert value_of(lua(code)) == [20, 4]
    assert len(service.requests) == 20


def test_so_many_calls_go_on_at_once_as_the_limit_says(lua: Run, service: RawService) -> None:
    """The issue: at most `limit` calls at once, on exactly as many connections."""
    gate = threading.Event()
    service.answer = gated(gate)
    watcher = opens(gate, service, 7)
    code = (
        "parallel.map(('x'):rep(200):gmatch('.'), function() web.get{path = 'x'} end, {limit = 7})"
    )
    assert value_of(lua(code)) is None
    watcher.join()
    assert (service.most_at_once, service.connections, len(service.requests)) == (7, 7, 200)


def test_error_names_the_item_and_keeps_its_line(lua: Run, service: RawService) -> None:
    """The issue: errors name the item; what a service has said keeps its fields."""
    service.answer = failing("/2")
    result = lua("""
    local ok, err = pcall(parallel.map, {1, 2, 3}, function(n)
        local answer = web.get{path = tostring(n)}
        return answer
    end)
    local text = select(2, pcall(parallel.map, {1, 2}, function(n) if n == 2 then error("no") end end))
    return err.item, err.code, err.status, err.line, tostring(err), text""")
    words = 'eval:4: item 2: web.get: Web answered 400: {"path": "/2"}'
    assert value_of(result) == [2, "service_error", 400, 4, words, "eval:7: item 2: no"]


def test_error_of_a_tail_call_has_the_line_of_parallel(lua: Run, service: RawService) -> None:
    """Ours: `return f{}` leaves no line behind, and a task is often nothing else."""
    service.answer = failing("/a", status=404)
    result = lua("""
    local found = parallel.map({"a"}, function(path) return web.get{path = path} end)
    return found""")
    assert result.error is not None
    assert result.error.startswith("eval:3: item 1: web.get: Web answered 404")
    assert result.error_info is not None
    assert result.error_info.line == 3


def test_error_value_of_the_scripts_own_stays_what_it_is(run: Run) -> None:
    """Ours: pcall around parallel catches the very table, and every other value."""
    code = """
    local mine = setmetatable({}, {__tostring = function() return "mine" end})
    local caught = {}
    for index, value in ipairs{mine, 7, false, print, coroutine.create(print), 0/0} do
        local _, problem = pcall(parallel.map, {1}, function() error(value, 0) end)
        caught[index] = rawequal(problem, value) or problem ~= problem
    end
    local ok, nothing = pcall(parallel.map, {1}, function() error() end)
    return caught, ok, nothing == nil"""
    assert value_of(run(code)) == [[True] * 6, False, True]


def test_first_error_in_time_is_raised(lua: Run, service: RawService) -> None:
    """The issue: not that of the first item."""
    gate = threading.Event()

    def answer(request: Received) -> Answer:
        if request.path == "/1":
            gate.wait(20)
        if request.path == "/open":
            gate.set()
        return Answer(200 if request.path == "/open" else 400, {})

    service.answer = answer
    # A comparison cannot give way: between the call that opens the gate and the error no other item goes on.
    result = lua("""
    local ok, err = pcall(parallel.map, {1, 2}, function(n)
      local _, problem = pcall(web.get, {path = tostring(n)})
      if n == 2 then
        table.sort({1, 2}, function(a, b) web.get{path = "open"} return a < b end)
      end
      error(problem)
    end)
    return err.item""")
    assert value_of(result) == 2


def test_stop_starts_nothing_new_and_lets_calls_end(lua: Run, service: RawService) -> None:
    """The issue: calls in flight end and are logged; nothing of a task runs on but what it closes."""
    gate = threading.Event()

    def answer(request: Received) -> Answer:
        if request.path == "/2":
            poll(lambda: len(service.requests) == 3)
            threading.Timer(0.05, gate.set).start()
            return Answer(400, {})
        gate.wait(20)
        return Answer(body={})

    service.answer = answer
    result = lua("""
    local closed = {}
    local ok, err = pcall(parallel.map, {1, 2, 3, 4, 5}, function(n)
        local mark <close> = setmetatable({}, {__close = function() closed[#closed + 1] = n end})
        web.get{path = tostring(n)}
        print("goes on", n)
        web.put{path = "again"}
    end, {limit = 3})
    return err.item, closed""")
    assert value_of(result) == [2, [2, 1, 3]]
    assert result.output == ""
    assert sorted(request.path for request in service.requests) == ["/1", "/2", "/3"]
    assert [(call.effect, call.error is None) for call in result.call_log].count(
        ("sent", True)
    ) == 2


def test_long_answers_are_whole(lua: Run, service: RawService) -> None:
    """Ours: they are handed over when their task goes on, while others end; a list comes in pieces."""
    service.answer = lambda request: Answer(body={"path": request.path, "n": [*range(2500)]})
    assert value_of(
        lua("""return parallel.map({1, 2, 3}, function(n)
            local found = web.get{path = tostring(n)}
            return {found.path, #found.n, found.n[2500]}
        end)""")
    ) == [["/1", 2500, 2499], ["/2", 2500, 2499], ["/3", 2500, 2499]]


def test_an_answer_that_nobody_wants_takes_no_memory(service: RawService) -> None:
    """Ours: it comes when its task has been given up, and may be too large for the script."""

    def answer(_: Received) -> Answer:
        poll(lambda: len(service.requests) == 2)
        time.sleep(0.1)
        return Answer(body={"path": "x" * 5_000_000})

    service.answer = answer
    limits = Limits(memory=2 * 1024 * 1024)
    result = web_kosmo(service, retry_budget=0, limits=limits).run("""
        parallel.map({"a", "b", "c"}, function(path)
            if path == "c" then error("no") end
            app.integrations.web.get{path = path}
        end)
    """)
    assert result.error == "eval:3: item 3: no"
    assert [call.effect for call in result.call_log] == ["sent"] * 2


def test_collect_goes_on_and_lists_the_errors(lua: Run, service: RawService) -> None:
    """The issue: results keep their places, and errors come beside them."""
    service.answer = failing("/2")
    result = lua("""
    local results, errors = parallel.map({1, 2, 3}, function(n)
        if n == 3 then error("three") end
        return web.get{path = tostring(n)}.path
    end, {on_error = "collect"})
    table.sort(errors, function(a, b) return a.item < b.item end)
    return results, #errors, errors[1].item, errors[1].error.status, errors[2]""")
    third = {"item": 3, "error": "eval:4: item 3: three"}
    assert value_of(result) == [["/1", None, None], 2, 2, 400, third]


def test_collect_without_errors_has_an_empty_list(run: Run) -> None:
    """Ours: the second value is there in either case."""
    code = "return parallel.all({a = function() return 1 end}, {on_error = 'collect'})"
    assert value_of(run(code)) == [{"a": 1}, []]


def test_parallel_inside_parallel(lua: Run, service: RawService) -> None:
    """The issue: nested; the calls of all of them go on at once."""
    gate = threading.Event()
    service.answer = gated(gate)
    watcher = opens(gate, service, 6)
    result = lua("""
    return parallel.map({"a", "b"}, function(outer)
        return parallel.map({1, 2, 3}, function(inner) return web.get{path = outer .. inner}.path end)
    end)""")
    watcher.join()
    assert value_of(result) == [["/a1", "/a2", "/a3"], ["/b1", "/b2", "/b3"]]


def test_error_inside_ends_what_is_around_and_beside(lua: Run, service: RawService) -> None:
    """Ours: a group in a task that is closed is closed with it, after its calls."""
    result_of = failing("/bad")
    gate = threading.Event()

    def answer(request: Received) -> Answer:
        if request.path == "/bad":
            poll(lambda: len(service.requests) == 3)
            threading.Timer(0.05, gate.set).start()
        else:
            gate.wait(20)
        return result_of(request)

    service.answer = answer
    result = lua("""
    local log = {}
    local function get(path)
        local mark <close> = setmetatable({}, {__close = function() log[#log + 1] = path end})
        web.get{path = path}
        log[#log + 1] = "goes on"
    end
    local ok, err = pcall(parallel.all, {
        a = function() parallel.map({"a1", "a2"}, get) end,
        b = function() web.get{path = "bad"} end,
    })
    return err.item, log""")
    assert value_of(result) == ["b", ["a1", "a2"]]
    assert result.meta.calls.total == 3
    assert result.meta.calls.unknown == 0


def test_iterator_that_fails_ends_its_tasks(lua: Run, service: RawService) -> None:
    """Ours: its error is raised as it is, after the calls of the tasks have ended."""
    result = lua("""
    local given, closed = 0, 0
    local ok, problem = pcall(parallel.map, function()
        given = given + 1
        if given == 3 then error("no more") end
        return given
    end, function(n)
        local mark <close> = setmetatable({}, {__close = function() closed = closed + 1 end})
        web.get{path = tostring(n)}
    end)
    return ok, problem, closed""")
    assert value_of(result) == [False, "eval:6: no more", 2]
    assert [call.error for call in result.call_log] == [None, None]
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    "code",
    [
        "table.sort({3, 1, 2}, function(a, b) web.get{path = 'x'} return a < b end) return 'sorted'",
        "return (('ab'):gsub('.', function(c) return web.get{path = c}.path end))",
        "return setmetatable({}, {__index = function(_, k) return web.get{path = k}.path end}).key",
        "return coroutine.wrap(function() return web.get{path = 'wrapped'}.path end)()",
        "return load(coroutine.wrap(function() coroutine.yield('return 7') web.get{path = 'end'} end))()",
        "return select(2, pcall(function() return web.get{path = 'caught'}.path end))",
        "do local c <close> = setmetatable({}, {__close = function() web.get{path = 'x'} end}) end return 1",
        "for row in (function() return web.get{path = 'row'}.path end) do return row end",
        "return parallel.map({1}, function() return web.get{path = 'in'}.path end)[1]",
    ],
)
def test_call_works_wherever_a_task_makes_it(lua: Run, code: str) -> None:
    """The issue: where Lua cannot yield, a call blocks instead of failing."""
    alone, beside = lua(code), lua(f"return parallel.map({{1, 2}}, function() {code} end)")
    assert value_of(beside) == [value_of(alone)] * 2


def test_module_that_calls_while_it_loads_is_whole_for_every_task(
    service: RawService, tmp_path: Path
) -> None:
    """Ours: a load blocks; no task finds half a module, or is told that it needs itself."""
    (tmp_path / "setup.lua").write_text(
        "count = (count or 0) + 1\n"
        "local get = app.integrations.web.get\n"
        "local found = parallel.map({1, 2}, function(n) get{path = 'm' .. n} return n end)\n"
        "get{path = 'm3'}\n"
        "return {n = count, found = #found}\n"
    )
    code = """return parallel.map({1, 2, 3}, function()
        app.integrations.web.get{path = "before"}
        local setup = require "setup"
        app.integrations.web.get{path = "after"}
        return setup
    end)"""
    with web_kosmo(service) as kosmo:
        result = kosmo.run(code, folders=[str(tmp_path)])
    assert value_of(result) == [{"found": 2, "n": 1}] * 3
    assert len(service.requests) == 9


def test_task_that_yields_by_itself_fails(run: Run) -> None:
    """Ours: there is nobody who would resume it."""
    result = run("local r =\nparallel.map({1}, function()\ncoroutine.yield() end)")
    assert result.error == "eval:3: item 1: attempt to yield out of parallel"


def test_task_of_another_can_be_spoilt_but_not_the_run(lua: Run) -> None:
    """Ours: `coroutine.running` gives a task away; who resumes or closes it harms that item alone."""
    result = lua("""
    local threads = {}
    local results, errors = parallel.all({
        a_resumed = function() threads.a = coroutine.running() return web.get{path = "a"}.path end,
        b_closed = function() threads.b = coroutine.running() return web.get{path = "b"}.path end,
        c_hostile = function()
            for _ = 1, 3 do coroutine.resume(threads.a, {}, 1) end
            return coroutine.close(threads.b)
        end,
        d_honest = function() return web.get{path = "d"}.path end,
    }, {on_error = "collect"})
    return results, errors""")
    dead = {"item": "b_closed", "error": "item b_closed: cannot resume dead coroutine"}
    results = {"a_resumed": "/a", "b_closed": None, "c_hostile": True, "d_honest": "/d"}
    assert value_of(result) == [results, [dead]]


def test_script_that_replaces_the_library_breaks_itself_alone(lua: Run) -> None:
    """Ours: parallel uses what it had before the script came."""
    result = lua("""
    local map = parallel.map
    for _, name in ipairs{"coroutine", "table", "parallel", "setmetatable", "next"} do _G[name] = nil end
    return map({1, 2}, function(n) return web.get{path = tostring(n)}.path end)""")
    assert value_of(result) == ["/1", "/2"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("parallel.map()", "parallel.map: it takes a function, got nil"),
        ("parallel.map(nil, print)", "parallel.map: it takes a list or an iterator, got nil"),
        (
            "parallel.map('abc', print)",
            "parallel.map: it takes a list or an iterator, got a string",
        ),
        ("parallel.map({}, print, 5)", "parallel.map: the options must be a table, got 5"),
        (
            "parallel.map({}, print, {lim = 1})",
            "parallel.map: unknown option lim: it takes limit, on_error",
        ),
        (
            "parallel.map({}, print, {limit = 0})",
            "parallel.map: limit must be a whole number from 1 to 256, got 0",
        ),
        (
            "parallel.map({}, print, {on_error = 'ignore'})",
            'parallel.map: on_error must be "stop" or "collect", got "ignore"',
        ),
        ("parallel.all(print)", "parallel.all: it takes a table of functions, got a function"),
        ("parallel.all{1}", "parallel.all: 1 must be a function, got a number"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(run: Run, code: str, words: str) -> None:
    """Ours: at the line of the script."""
    assert run(code).error == f"eval:1: {words}"


def test_options_are_those_that_the_table_has_itself(run: Run) -> None:
    """Ours: a metatable does not get around the check."""
    code = """
    local trap = setmetatable({}, {__index = function() return "x" end, __pairs = error})
    return parallel.map({1, 2}, function(n) return n end, trap)"""
    assert value_of(run(code)) == [1, 2]


def test_items_may_be_a_table_that_computes_them(run: Run) -> None:
    """Ours: read one by one, by index, to the first nil."""
    code = """
    local items = setmetatable({}, {
        __index = function(_, n) if n <= 3 then return n * n end end,
        __len = error, __eq = error, __pairs = error,
    })
    return parallel.map(items, function(n) return n end)"""
    assert value_of(run(code)) == [1, 4, 9]


def test_hundred_thousand_items_need_no_room_but_for_their_results(run: Run) -> None:
    """The issue: memory stays flat; a task leaves nothing behind."""
    code = """
    local given = 0
    local results = parallel.map(function()
        given = given + 1
        if given <= 100000 then return given end
    end, function() end, {limit = 256})
    return #results"""
    result = run(code)
    assert value_of(result) == 100_000
    assert result.memory_usage < 6_000_000


def test_nesting_without_end_is_an_error(run: Run) -> None:
    """Ours: Lua's own bound on what runs inside what."""
    result = run("local function deep() return parallel.map({1}, deep) end return deep()")
    assert result.error is not None
    assert result.error.endswith("C stack overflow")


LIMITED = {
    "cpu_limit": ("while true do end", Limits(cpu=0.2)),
    "wall_limit": ("while true do pcall(web.get, {path = 'x'}) end", Limits(wall=0.5)),
    "memory_limit": (
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        Limits(memory=4_000_000),
    ),
    "output_limit": ("while true do pcall(print, 'x') end", Limits(output=1000)),
    "call_limit": ("while true do pcall(web.get, {path = 'x'}) end", Limits(calls=20)),
}
"""What a task does, and the limit that ends it."""

ISOLATIONS: list[Isolation] = ["thread", "process"]


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("limit", LIMITED)
def test_limit_ends_the_run_from_inside_a_task(
    service: RawService, limit: str, isolation: Isolation
) -> None:
    """The issue: limits hold inside, uncatchably, and in time."""
    body, limits = LIMITED[limit]
    body = body.replace("web.get", "app.integrations.posthog.get_person")
    body = body.replace("{path = 'x'}", f"{{person_id = '{PERSON}'}}")
    environ = {"KOSMO_POSTHOG_URL": service.url, "KOSMO_POSTHOG_API_TOKEN": "phx_a"}
    environ["KOSMO_POSTHOG_PROJECT_ID"] = "1"
    code = f"""
    pcall(parallel.map, {{1, 2, 3}}, function() pcall(function() {body} end) end, {{on_error = "collect"}})
    print("after the end")
    """
    began = time.monotonic()
    with Kosmo(environ=environ, limits=limits, isolation=isolation) as kosmo:
        result = kosmo.run(code)
    assert time.monotonic() - began < 10
    assert result.error_info is not None
    assert (result.error_info.type, result.error_info.code) == (limit, limit)
    assert "after the end" not in result.output


def test_result_limit_counts_the_results_of_tasks() -> None:
    """The issue: the result of the run is limited as ever."""
    limits = Limits(result=1000)
    code = "return parallel.map({1, 2, 3}, function() return ('x'):rep(500) end)"
    with Kosmo(environ={}, limits=limits) as kosmo:
        result = kosmo.run(code)
    assert result.error_info is not None
    assert result.error_info.code == "result_limit"


def test_answer_that_is_no_value_fails_its_item(lua: Run, service: RawService) -> None:
    """Ours: a short one, too; the other items have their results, and a pcall around the call catches it."""
    nested: Any = 1
    for _ in range(600):
        nested = [nested]
    service.answer = lambda request: Answer(body=nested if request.path == "/deep" else 1)
    code = """
    local paths = {"a", "deep", "b"}
    local function get(path) return web.get{path = path} end
    local results, errors = parallel.map(paths, get, {on_error = "collect"})
    local caught = parallel.map(paths, function(path) return (pcall(get, path)) end)
    return results, errors[1].error.message, caught"""
    message = "item 2: the answer is nested too deep (more than 512 levels)"
    assert value_of(lua(code)) == [[1, None, 1], message, [True, False, True]]


def test_failure_that_needs_room_fails_its_item(
    lua: Run, service: RawService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: also where garbage must be collected before it fits, while another task waits."""
    service.answer = failing("/2")
    fit = cycle([False, True])
    code = """
    local results, errors = parallel.map({1, 2, 3}, function(n)
        return web.get{path = tostring(n)}.path
    end, {on_error = "collect"})
    return results, errors[1].item, errors[1].error.code"""
    monkeypatch.setattr(Memory, "fits", lambda *_: next(fit))
    assert value_of(lua(code)) == [["/1", None, "/3"], 2, "service_error"]


def test_failures_leave_nothing_to_the_garbage_collector(
    lua: Run, service: RawService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: each would keep the frames of its call until then."""
    made: list[weakref.ref[ServiceError]] = []

    def watched(*args: Any, **options: Any) -> ServiceError:
        error = ServiceError(*args, **options)
        made.append(weakref.ref(error))
        return error

    monkeypatch.setattr(failures, "ServiceError", watched)
    service.answer = failing("/x")
    gc.disable()
    try:
        code = "parallel.map({1, 2, 3}, function() pcall(web.get, {path = 'x'}) end)"
        value_of(lua(code))
        poll(lambda: [error() for error in made] == [None] * 3)
    finally:
        gc.enable()


def test_denied_call_fails_its_item(service: RawService) -> None:
    """The issue: permission holds inside."""
    with web_kosmo(service, environ={"KOSMO_WEB_WRITE": "deny"}) as kosmo:
        result = kosmo.run("""
        local results, errors = parallel.map({1, 2}, function(n)
            if n == 1 then return "read" end
            app.integrations.web.put{path = "x"}
        end, {on_error = "collect"})
        return results, errors[1].item, errors[1].error.code""")
    assert value_of(result) == [["read", None], 2, "denied"]
    assert service.requests == []


def test_questions_come_one_at_a_time(service: RawService) -> None:
    """The issue: who is asked sees one question after the other."""
    asked: list[str] = []
    turn = threading.Lock()

    def ask(question: Any) -> bool:
        assert turn.acquire(blocking=False)
        asked.append(str(question.arguments["path"]))
        turn.release()
        return str(question.arguments["path"]) != "2"

    with web_kosmo(service, environ={"KOSMO_WEB_WRITE": "ask"}, ask=ask) as kosmo:
        result = kosmo.run("""
        local _, errors = parallel.map({1, 2, 3}, function(n)
            app.integrations.web.put{path = tostring(n)}
        end, {on_error = "collect"})
        return #errors, errors[1].item, errors[1].error.code""")
    assert value_of(result) == [1, 2, "approval_required"]
    assert asked == ["1", "2", "3"]
    assert sorted(request.path for request in service.requests) == ["/1", "/3"]


@pytest.fixture
def calm() -> Iterator[None]:
    """Compare the threads before and after a test."""
    names = ("kosmo-call", "kosmo-script")
    before = sum(thread.name in names for thread in threading.enumerate())
    yield
    poll(lambda: sum(thread.name in names for thread in threading.enumerate()) <= before)


@pytest.mark.usefixtures("calm")
def test_threads_do_not_pile_up_over_runs(lua: Run) -> None:
    """Ours: a program runs many workflows."""
    for _ in range(10):
        value_of(lua("parallel.map({1, 2, 3, 4}, function(n) web.get{path = 'x'} end)"))


@pytest.mark.usefixtures("calm")
def test_scripts_of_a_session_share_threads_and_connections(service: RawService) -> None:
    """Ours: a session keeps what the first script has opened, and its end closes it."""
    code = "parallel.map({1, 2, 3, 4}, function() app.integrations.web.get{path = 'x'} end)"
    service.answer = gated(gate := threading.Event())
    watcher = opens(gate, service, 4)
    with web_kosmo(service) as kosmo, kosmo.session() as session:
        for _ in range(5):
            value_of(session.run(code))
    watcher.join()
    assert service.connections == 4


def test_coroutine_of_an_earlier_script_cannot_wait_for_its_call(service: RawService) -> None:
    """Ours: an iterator, or a batch, of an earlier script is an error, and reaches nothing of this one."""
    with web_kosmo(service) as kosmo, kosmo.session() as session:
        service.answer = lambda _: Answer(body={"rows": [1, 2], "more": True})
        value_of(session.run("it = app.integrations.web.each_row() return it(), it()"))
        later = session.run("other = app.integrations.web.each_row() return pcall(it)")
    assert value_of(later) == [
        False,
        "eval:1: app.integrations.web.each_row: the iterator belongs to an earlier script",
    ]


def test_command_waits_for_tasks_like_the_library(
    kosmo: Callable[..., Finished], service: RawService
) -> None:
    """The issue: the same in the process of the command."""
    service.answer = lambda request: Answer(body={"id": 1, "name": request.path[-1]})
    code = """return parallel.map({0, 1, 2}, function(n)
        return app.integrations.posthog.get_person{person_id = "0196f1c2-0000-7000-8000-00000000010" .. n}.id
    end)"""
    env = {
        "KOSMO_POSTHOG_URL": service.url,
        "KOSMO_POSTHOG_API_TOKEN": "phx_a",
        "KOSMO_POSTHOG_PROJECT_ID": "1",
    }
    done = kosmo("integrations:lua", "--json", "--eval", code, env=env)
    assert (done.status, done.json()["result"]) == (0, [1, 1, 1])
