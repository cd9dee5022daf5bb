"""A walk over everything that a script can reach: nothing of the host is there."""

import ctypes
import re
import sys
from collections.abc import Callable

import pytest
from conftest import ROOT
from lupa import lua54

from kosmo_lua import Kosmo, Limits, Result
from kosmo_lua.lua.sandbox import Sandbox

HOST = re.compile(
    r"0x[0-9a-f]{6,}|<class|<function|object at|Traceback|"
    + "|".join(re.escape(path) for path in (str(ROOT), sys.prefix, sys.base_prefix))
)
"""What belongs to the host: an address, words of Python, folders."""

WALK = r"""
local seen, kinds, texts = {}, {}, {}

local function walk(value)
  kinds[type(value)] = true
  if type(value) == "string" then texts[value] = true end
  if value == nil or value ~= value or seen[value] then return value end
  seen[value] = true
  if type(value) == "function" or type(value) == "thread" then texts[tostring(value)] = true end
  if type(value) == "table" then
    for key, item in next, value do walk(key) walk(item) end
    for key, item in pairs(value) do walk(key) walk(item) end
    walk(getmetatable(value))
  end
  return value
end

local function walk_all(...)
  for index = 1, select("#", ...) do walk((select(index, ...))) end
end
"""

EVERY_FUNCTION = r"""
local functions = {}
local function collect(t, done)
  if done[t] then return end
  done[t] = true
  for name, item in pairs(t) do
    if type(item) == "function" then functions[#functions + 1] = item end
    -- The functions of an account are those of its integration.
    if type(item) == "table" and name ~= "default" then collect(item, done) end
  end
end
collect(_G, {})
functions[#functions + 1] = function(...) return app.integrations.nosuch.call(...) end
functions[#functions + 1] = ("x").rep

local arguments = {
  {}, {"x"}, {1}, {-1}, {1.5}, {true}, {{}}, {{"x"}}, {print}, {json.null}, {app}, {"\xff\0\n"}, {"\27Lua"},
  {coroutine.create(print)}, {print, print}, {"x", "x"}, {{}, "x"}, {"x", {}}, {{}, {}}, {"x", 1, 1},
  {("x"):rep(1000), "("},
}

-- Calls the function in every place from which an error or a result comes back.
local function try(f, given)
  walk_all(pcall(f, table.unpack(given)))
  walk_all(xpcall(f, function(...)
    walk_all(...)
    walk(debug.traceback(...))
    return ...
  end, table.unpack(given)))
  walk_all(pcall(coroutine.wrap(f), table.unpack(given)))
  local thread = coroutine.create(function(...)
    local _ <close> = setmetatable({}, {__close = function(_, problem) walk(problem) end})
    walk_all(f(...))
  end)
  walk_all(coroutine.resume(thread, table.unpack(given)))
  walk(debug.traceback(thread))
  walk_all(coroutine.close(thread))
end

walk(_G)
for _, f in ipairs(functions) do
  for _, given in ipairs(arguments) do try(f, given) end
end
walk_all(load("="), load("return 1", "x", "b"), load(function() error({}) end))
for _, pattern in ipairs({"%s", "%q", "%10s", "%-5s"}) do
  for _, value in ipairs({print, {}, coroutine.create(print), "x"}) do
    walk_all(pcall(string.format, pattern, value))
  end
end
walk_all(coroutine.running())
"""

REPORT = r"""
local list, shown = {}, {}
for kind in pairs(kinds) do list[#list + 1] = kind end
for text in pairs(texts) do shown[#shown + 1] = text end
table.sort(list)
return {kinds = list, texts = shown, functions = #functions}
"""


def _walk() -> Result:
    kosmo = Kosmo(environ={}, limits=Limits(memory=256 << 20))
    result = kosmo.run(WALK + EVERY_FUNCTION + REPORT, name="walk.lua")
    assert result.error is None
    return result


def test_no_object_and_no_word_of_the_host_is_reachable() -> None:
    """Ours: every function is called with what it may not like, and all that comes back is Lua's."""
    result = _walk()
    assert isinstance(result.result, dict)
    assert result.result["kinds"] == [
        "boolean",
        "function",
        "nil",
        "number",
        "string",
        "table",
        "thread",
    ]
    functions = result.result["functions"]
    assert isinstance(functions, int)
    assert functions > 100
    texts = result.result["texts"]
    assert isinstance(texts, list)
    assert [text for text in texts if HOST.search(str(text))] == []
    assert HOST.findall(result.output) == []


def test_uncaught_errors_tell_nothing_of_the_host(run: Callable[..., Result]) -> None:
    """Ours: the same for what is said about an error that ends a run."""
    for statement in (
        "error(print)",
        "error({print, f = coroutine.create(print)})",
        "error(app)",
        "nothing.x = 1",
        "string.rep()",
        "json.encode(print)",
        "regex.match({}, print)",
        "docs.read({})",
        "app.integrations.segment.track(print)",
        "app.integrations.segment.track({__class__ = 1})",
        "app.nothing[print][{}]()",
        "load('x', '=[kosmo]')()",
        "coroutine.wrap(error)({})",
    ):
        assert HOST.findall(run(statement, name="w.lua").to_json()) == []


@pytest.mark.parametrize("name", Limits._fields)
def test_limit_that_lua_cannot_hold_is_no_limit(name: str) -> None:
    """Ours: a number that does not fit into Lua would arrive there as an exception of Python."""
    result = Kosmo(environ={}, limits=Limits(**{name: 10**20})).run("return 1")
    assert (result.error, result.result) == (None, 1)


UPVALUES = rb"""
local sandbox_run = ...
local seen, found = {}, {}

local function walk(value, path)
  local kind = type(value)
  if kind == "userdata" then found[#found + 1] = path end
  if value == nil or value ~= value or seen[value] then return end
  seen[value] = true
  if kind == "table" then
    for key, item in next, value do
      walk(key, path .. ".key")
      walk(item, path .. "." .. tostring(key))
    end
  end
  if kind == "function" then
    for index = 1, 255 do
      local name, item = debug.getupvalue(value, index)
      if not name then break end
      walk(item, path .. " ^" .. name)
    end
  end
  walk(debug.getmetatable(value), path .. " meta")
end

walk(sandbox_run, "run")
return table.concat(found, "\n")
"""


def test_host_is_held_by_one_variable_that_no_script_sees() -> None:
    """Ours: past what a script can reach, in the variables of functions, there is one object of Python."""
    sandbox = Sandbox()
    state = ctypes.c_void_p(sandbox._state)  # noqa: SLF001  # only a test looks behind the prelude
    library = ctypes.CDLL(lua54.__file__)
    library.luaL_openlibs(state)  # the real libraries, into the real globals, which no script sees
    library.lua_pushcclosure(state, library.luaopen_base, 0)
    library.lua_callk(state, 0, 0, ctypes.c_void_p(0), None)
    found = sandbox._memory._lua.execute(UPVALUES, sandbox._run)  # noqa: SLF001  # the same
    owners = sorted(re.findall(r"\w+", path)[-1] for path in found.decode().split("\n"))
    # The state of Lua's random numbers is the only other userdata, shared by two functions in C.
    assert owners == ["host", "random", "randomseed"]


def test_globals_are_these(evaluate: Callable[[str], object]) -> None:
    """Ours: a name more is a door more, so it is added here on purpose."""
    names = evaluate("local r = {} for name in next, _G do r[name] = true end return r")
    assert isinstance(names, dict)
    assert sorted(names) == [
        "_G",
        "_VERSION",
        "app",
        "arg",
        "assert",
        "batch",
        "collectgarbage",
        "coroutine",
        "debug",
        "docs",
        "dump",
        "error",
        "getmetatable",
        "ipairs",
        "json",
        "load",
        "lua_list_docs",
        "lua_read_doc",
        "lua_search_docs",
        "math",
        "mcp",
        "next",
        "os",
        "pairs",
        "parallel",
        "pcall",
        "print",
        "rawequal",
        "rawget",
        "rawlen",
        "rawset",
        "regex",
        "require",
        "select",
        "setmetatable",
        "string",
        "table",
        "tonumber",
        "tostring",
        "type",
        "utf8",
        "xpcall",
    ]
