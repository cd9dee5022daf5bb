-- The globals of a script: what it may use, and nothing else.

local kit = ...
local bridge, failure, guard, host, json = kit.bridge, kit.failure, kit.guard, kit.host, kit.json
local options, text = kit.options, kit.text
local concat, error, next, select, type = kit.table.concat, kit.error, kit.next, kit.select, kit.type

local function copy(library)
  local result = {}
  for name, value in next, library do
    result[name] = value
  end
  return result
end

local env = {
  _VERSION = "Lua 5.4",
  app = bridge.app,
  assert = kit.assert,
  batch = kit.flow.batch,
  coroutine = copy(guard.coroutine),
  error = kit.error,
  ipairs = kit.ipairs,
  math = copy(kit.math),
  next = kit.next,
  os = kit.os,
  pairs = kit.pairs,
  parallel = copy(kit.flow.parallel),
  pcall = guard.pcall,
  rawequal = kit.rawequal,
  rawget = kit.rawget,
  rawlen = kit.rawlen,
  rawset = kit.rawset,
  regex = kit.regex,
  select = kit.select,
  setmetatable = guard.setmetatable,
  string = copy(kit.string),
  table = copy(kit.table),
  tonumber = kit.tonumber,
  tostring = text.show,
  type = kit.type,
  utf8 = copy(kit.utf8),
  xpcall = guard.xpcall,
}
env._G = env
env.load = guard.load(env)
env.require = kit.modules(env)

function env.getmetatable(object)
  local meta = kit.getmetatable(object)
  if type(meta) ~= "table" then
    return meta
  end
  local shown = kit.rawget(meta, "__metatable")
  if shown ~= nil then
    return shown
  end
  return meta
end

-- Without arguments Lua seeds with an address and the time, and returns both.
function env.math.randomseed(...)
  kit.math.randomseed(...)
end

-- Counting is harmless; tuning the collector is not.
function env.collectgarbage(option)
  if option == "count" then
    return kit.collectgarbage("count")
  end
  if option == nil or option == "collect" or option == "step" then
    return 0
  end
  error("collectgarbage: only 'count' and 'collect' are available in the sandbox", 2)
end

env.debug = {
  traceback = function(...)
    local trace
    if type((...)) == "thread" then
      trace = kit.traceback(...)
    else
      local message, level = ...
      trace = kit.traceback(message, (level or 1) + 1)
    end
    return type(trace) == "string" and failure.hide(trace) or trace
  end,
}

local function output(line)
  bridge.receive(host("print", line))
end

function env.print(...)
  local values = kit.table.pack(...)
  for index = 1, values.n do
    values[index] = text.show(values[index])
  end
  output(concat(values, "\t", 1, values.n))
end

function env.dump(value)
  output(text.show(value))
  return value
end

-- Strings: no bytecode, no addresses, and a metatable that leads to this copy alone.
env.string.dump = nil

local find, format, gsub = kit.string.find, kit.string.format, kit.string.gsub
local pack, unpack = kit.table.pack, kit.table.unpack
local addressed = { table = true, ["function"] = true, thread = true }

-- What is known of patterns: true when they show no value as it is, so that there is nothing to look at.
local MOST = 1000
local harmless, known = {}, 0

local function look_at(pattern)
  local plain = gsub(pattern, "%%%%", "")
  if find(plain, "%%[-+ #0-9.]*p") then
    failure.fail("bad argument #1 to 'format' (%p would show an address)")
  end
  if known == MOST then
    harmless, known = {}, 0
  end
  harmless[pattern] = not find(plain, "%%[-+ #0-9.]*s")
  known = known + 1
end

local function shows_address(...)
  local a, b, c = ...
  return select("#", ...) > 3 or addressed[type(a)] or addressed[type(b)] or addressed[type(c)]
end

function env.string.format(pattern, ...)
  if harmless[pattern] then
    return format(pattern, ...)
  end
  if type(pattern) == "string" and harmless[pattern] == nil then
    look_at(pattern)
  end
  if not shows_address(...) then
    return format(pattern, ...)
  end
  local values = pack(...)
  for index = 1, values.n do
    if addressed[type(values[index])] then
      values[index] = text.show(values[index])
    end
  end
  return format(pattern, unpack(values, 1, values.n))
end

-- The methods of an error's sentence: what a script does to its own library does not reach them.
failure.methods = copy(env.string)

local strings = kit.getmetatable("")
strings.__index = env.string
strings.__metatable = false

local function from_json(name, ok, value)
  if not ok then
    failure.fail(name .. ": " .. value)
  end
  return value
end

local options_of_encode = { pretty = options.boolean, sort = options.boolean }
local options_of_decode = { null = options.boolean, big = options.one_of("string") }

env.json = {
  null = json.null,
  object = json.object,
  array = json.array,
  encode = function(value, given)
    local checked = options.check("json.encode", given, options_of_encode)
    return from_json("json.encode", json.encode(value, checked))
  end,
  decode = function(source, given)
    if type(source) ~= "string" then
      failure.fail("json.decode: the text must be a string, got a " .. type(source))
    end
    local checked = options.check("json.decode", given, options_of_decode)
    return from_json("json.decode", json.decode(source, checked))
  end,
}

env.docs = {}
for _, name in next, { "list", "search", "read" } do
  env.docs[name] = function(...)
    return bridge.help("docs." .. name, ...)
  end
end
env.mcp = kit.mcp
env.lua_list_docs, env.lua_search_docs, env.lua_read_doc = env.docs.list, env.docs.search, env.docs.read

return env
