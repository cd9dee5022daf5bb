-- Builds the sandbox. Arguments: the host's one function (a Python object), whether a hook must watch
-- coroutines, then the sources of the other parts as name, source pairs.
-- Returns `run(code, chunk name, arguments as JSON, show its values)`, `finish()` for a script that the hook has ended, and the
-- address of the main Lua state.
--
-- Every part is a chunk of one argument, `kit`, and returns what it adds to it. A part has no globals, and
-- uses only what was captured here before any script ran: a script can replace anything that it can see.

local host_object, watch = ...
local host = python.as_function(host_object)

local kit = { host = host, watch = watch }
for _, library in ipairs({ "string", "table", "math", "utf8", "coroutine" }) do
  local copy = {}
  for name, value in pairs(_G[library]) do
    copy[name] = value
  end
  kit[library] = copy
end
for _, name in ipairs({
  "assert", "collectgarbage", "error", "ipairs", "load", "next", "pairs", "pcall", "rawequal",
  "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
}) do
  kit[name] = _G[name]
end
kit.getmetatable = debug.getmetatable
kit.getinfo, kit.traceback, kit.sethook = debug.getinfo, debug.traceback, debug.sethook
kit.os = { time = os.time, date = os.date, clock = os.clock, difftime = os.difftime }

local sources = {}
for index = 3, select("#", ...), 2 do
  local name, source = select(index, ...)
  sources[name] = source
end

local function part(name)
  local chunk = kit.assert(kit.load(sources[name], "=[kosmo]", "t", {}))
  return chunk(kit)
end

kit.buffer = part("buffer")
kit.scalars = part("scalars")
kit.json = part("json")
kit.names = part("names")
kit.json.encode, kit.json.encode_parts, kit.json.encode_result = part("encode")
kit.json.decode = part("decode")
kit.text = part("text")
kit.failure = part("failure")
kit.fail = kit.failure.fail
kit.options = part("options")
kit.scope = { open = {} } -- the `batch` that takes events now, those that are open, and what the `run` is
kit.guard = part("guard")
kit.planned = part("planned")
kit.answer = part("answer")
kit.tasks = part("tasks")
kit.bridge = part("bridge")
kit.flow = part("parallel")
kit.mcp = part("mcp")
kit.regex = part("regex")(function(name, ...)
  return kit.bridge.help("regex." .. name, ...)
end)
kit.modules = part("modules")
local environment = part("environment")
local run = part("run")

local address = tostring(coroutine.running())

-- The real globals stay reachable for the interpreter alone. lupa looks up debug.traceback in them, outside
-- any protected call, each time that Python calls Lua: an empty table keeps that lookup harmless.
local globals = _G
for name in pairs(globals) do
  globals[name] = nil
end
globals.debug = {}

return function(code, name, arguments, show)
  run.run(environment, code, name, arguments, show)
end, run.finish, address
