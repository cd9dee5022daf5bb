-- Calls to the host: `app.*` and the helpers that are written in Python. Only strings, integers and
-- booleans cross, as JSON text; no Python object is ever visible here.

local kit = ...
local failure, host, json = kit.failure, kit.host, kit.json
local collectgarbage, error, next, pack, pairs = kit.collectgarbage, kit.error, kit.next, kit.table.pack, kit.pairs
local rawequal, select, setmetatable, sort, type = kit.rawequal, kit.select, kit.setmetatable, kit.table.sort, kit.type

local LONGEST = 100 -- bytes of a name

local bridge = {}

-- What the host answers: true and a text; false and a failure as JSON; nil and the limit that ends the run;
-- or a number, the size of an answer for which there is no room, until garbage was collected.
local function receive(ok, payload)
  if ok then
    if ok == true then
      return payload
    end
    collectgarbage()
    ok, payload = host("take")
    if ok == true then
      return payload
    end
    if ok then
      failure.stop("memory_limit")
    end
  end
  if ok == false then
    failure.raise(payload)
  end
  failure.stop(payload)
end
bridge.receive = receive

local function decoded(payload)
  local ok, value = json.decode(payload, { big = "string" })
  if not ok then
    error("the host answered with something that is no JSON: " .. value, 0)
  end
  return value
end

local function encoded(name, encode, value)
  local ok, written = encode(value)
  if not ok then
    failure.raise(receive(host("refuse", name, written)))
  end
  return written
end

-- Arguments by position, with their holes.
local function list(...)
  local values = pack(...)
  for index = 1, values.n do
    if values[index] == nil then
      values[index] = json.null
    end
  end
  values.n = nil
  return json.array(values)
end

local paths = setmetatable({}, { __mode = "k" })

local function call(path, ...)
  failure.check()
  local first = ...
  if paths[first] then
    failure.fail("call it with a dot and not with a colon: app." .. path .. "{...}")
  end
  if select("#", ...) == 0 then
    return decoded(receive(host("call", path, "{}")))
  end
  if select("#", ...) == 1 and type(first) == "table" and not rawequal(first, json.null) then
    return decoded(receive(host("call", path, encoded(path, json.encode_object, first))))
  end
  return decoded(receive(host("call_with", path, encoded(path, json.encode, list(...)))))
end

-- A helper function that is written in Python, such as docs.read.
function bridge.help(name, ...)
  return decoded(receive(host("help", name, encoded(name, json.encode, list(...)))))
end

local namespace

-- The members of a namespace, by name; those in `names` are listed, the rest are other spellings.
local function members_of(path)
  local found = decoded(receive(host("members", path)))
  local members, names = {}, {}
  for _, name in next, found.functions do
    members[name] = function(...)
      return call(path .. "." .. name, ...)
    end
    names[#names + 1] = name
  end
  for alias, name in next, found.aliases do
    members[alias] = members[name]
  end
  for _, name in next, found.namespaces do
    members[name] = namespace(path .. "." .. name)
    names[#names + 1] = name
  end
  sort(names)
  return members, names
end

-- A name as it is looked up and told: no address, and no longer than a name may be.
local function shown(name)
  name = type(name) == "string" and name or kit.text.show(name)
  return #name <= LONGEST and name or kit.string.sub(name, 1, LONGEST) .. "..."
end

-- A path below a namespace, and no longer than a few names may be: each failed call is logged with it.
local function below(path, name)
  return #path <= 3 * LONGEST and path .. "." .. shown(name) or path
end

-- A name that nobody knows: only a call of it is an error, and then the host says what was meant.
local function unknown(path)
  local stray = {}
  paths[stray] = path
  return setmetatable(stray, {
    __metatable = false,
    __tostring = function()
      return "app." .. path
    end,
    __index = function(_, name)
      return unknown(below(path, name))
    end,
    __newindex = function()
      failure.fail("app is read-only")
    end,
    __call = function(_, ...)
      return call(path, ...)
    end,
  })
end

-- A table of `app`, which asks the host for its members when it is first used.
function namespace(path)
  local members, names
  local function load_members()
    if not members then
      members, names = members_of(path)
    end
  end
  local self = {}
  paths[self] = path
  return setmetatable(self, {
    __metatable = false,
    __tostring = function()
      return "app." .. path
    end,
    __index = function(_, name)
      load_members()
      local member = members[name]
      if member == nil then
        return unknown(below(path, name))
      end
      return member
    end,
    __newindex = function()
      failure.fail("app is read-only")
    end,
    __pairs = function()
      load_members()
      local index = 0
      return function()
        index = index + 1
        return names[index], members[names[index]]
      end
    end,
    __call = function(_, ...)
      return call(path, ...)
    end,
  })
end

bridge.app = setmetatable({}, {
  __metatable = false,
  __tostring = function()
    return "app"
  end,
  __newindex = function()
    failure.fail("app is read-only")
  end,
})
local roots = { integrations = namespace("integrations"), mcp = namespace("mcp") }
kit.getmetatable(bridge.app).__index = function(_, name)
  return roots[name] or unknown(shown(name))
end
kit.getmetatable(bridge.app).__pairs = function()
  return next, { integrations = roots.integrations, mcp = roots.mcp }, nil
end

return bridge
