-- Calls to the host: `app.*` and the helpers that are written in Python. Only strings, integers and
-- booleans cross; no Python object is ever visible here.

local kit = ...
local failure, host, json, scope, tasks = kit.failure, kit.host, kit.json, kit.scope, kit.tasks
local next, pack, select = kit.next, kit.table.pack, kit.select
local setmetatable, sort, type = kit.setmetatable, kit.table.sort, kit.type

local LONGEST = 100 -- bytes of a name

local receive, read = kit.answer.receive, kit.answer.read

local bridge = { receive = receive }

local function answer(...)
  return read(receive(...))
end

-- Hands a value to the host in parts, so that it never has to fit into memory twice; returns the last part.
local function hand_over(name, value, is_object)
  local ok, parts = json.encode_parts(value, is_object)
  if not ok then
    receive(host("refuse", name, parts))
  end
  if type(parts) == "string" then
    return parts
  end
  for index = 1, #parts - 1 do
    host("part", parts[index])
    parts[index] = false
  end
  return parts[#parts]
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

-- What each namespace, and each unknown name, is in `app`; null, because it is no table of arguments either.
local paths = setmetatable({ [json.null] = "null" }, { __mode = "k" })

-- Hands over what a function is called with. Returns how: by name, or by position.
local function arguments(path, ...)
  failure.check()
  local first = ...
  local known = paths[first]
  if known and first ~= json.null then
    failure.fail("call it with a dot and not with a colon: app." .. path .. "{...}")
  end
  local count = select("#", ...)
  if count == 0 then
    return "call", "{}"
  end
  if count == 1 and type(first) == "table" and not known then
    return "call", hand_over(path, first, true)
  end
  return "call_with", hand_over(path, list(...), false)
end

local function call(path, ...)
  local kind, values = arguments(path, ...)
  if tasks.submits() then
    return tasks.collect(receive(host("submit", kind, path, values)))
  end
  return answer(host(kind, path, values))
end

bridge.call = call

-- A function whose event waits for the others of a batch, inside one.
local function send(path, ...)
  local batch = scope.batch
  if not batch or not scope.open[batch] then
    return call(path, ...)
  end
  local kind, values = arguments(path, ...)
  local ok, name, id = host("queue", batch.handle, kind, path, values)
  if id then
    return { queued = true, [name] = id }
  end
  return answer(ok, name)
end

local function leave(self)
  if scope.run == self.run then
    host("leave", self.handle)
  end
end

local reading = { __close = leave, __metatable = false }

-- A function that reads a list to its end: what `for` takes. Several tasks may call it: each gets other rows.
local function iterate(path, ...)
  local handle, run = receive(host("open", path, arguments(path, ...))), scope.run
  local rows, index, size, taken = nil, 0, 0, nil
  local function next_row()
    while index == size do
      failure.check()
      if scope.run ~= run then
        failure.fail("app." .. path .. ": the iterator belongs to an earlier script")
      end
      local number = receive(host("page", handle))
      if number == 0 then
        return nil
      end
      tasks.await(number)
      if number ~= taken then
        taken = number
        tasks.settled(number)
        rows = answer(host("rows", handle))
        index, size = 0, #rows
      end
    end
    index = index + 1
    return rows[index]
  end
  return next_row, nil, nil, setmetatable({ handle = handle, run = run }, reading)
end

-- A helper function that is written in Python, such as docs.read.
function bridge.help(name, ...)
  return answer(host("help", name, hand_over(name, list(...), false)))
end

local namespace

local kinds = { call = call, event = send, pages = iterate }

-- The members of a namespace, by name; those in `names` are listed, the rest are other spellings.
local function members_of(path)
  local found = answer(host("members", path))
  local members, names = {}, {}
  for name, kind in next, found.functions do
    local does, full = kinds[kind], path .. "." .. name
    members[name] = function(...)
      return does(full, ...)
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

-- A name that no namespace has: another spelling of a function, an account of the emulator, or a mistake, of which only
-- the call is an error. Then the host knows.
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
      return kinds[receive(host("kind", path))](path, ...)
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
