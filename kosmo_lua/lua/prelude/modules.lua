-- `require "lib.users"`: runs lib/users.lua of the script's own folders, once, in the environment of the script.
--
-- The chunk returns a function of the environment, which returns `require`.

local kit = ...
local bridge, failure, host, tasks = kit.bridge, kit.failure, kit.host, kit.tasks
local concat, find, load, select = kit.table.concat, kit.string.find, kit.load, kit.select
local remove, setmetatable, sub, type = kit.table.remove, kit.setmetatable, kit.string.sub, kit.type

local function read(name)
  local answer = bridge.receive(host("module", name))
  local stop = find(answer, "\n", 1, true)
  return sub(answer, 1, stop - 1), sub(answer, stop + 1)
end

return function(environment)
  local loaded = {}
  local loading = {} -- the names of the modules that are being loaded, from the first to the innermost

  local function position(name)
    for index = 1, #loading do
      if loading[index] == name then return index end
    end
  end

  -- It runs when the module has returned, and when it has failed: then it can be required again.
  local mark = {
    __close = function(self)
      remove(loading, position(self.name))
      tasks.release(self.task)
    end,
  }

  local function run(name)
    local file, source = read(name)
    local main_chunk, problem = load(source, "@" .. file, "t", environment)
    if not main_chunk then
      failure.fail("require: " .. problem)
    end
    loading[#loading + 1] = name
    -- No other task may find it half loaded: calls block until it is there.
    local _ <close> = setmetatable({ name = name, task = tasks.hold() }, mark)
    local value = main_chunk(name, file)
    return value
  end

  return function(...)
    local name = ...
    if type(name) ~= "string" then
      failure.fail("require: the name of a module is a string, got " .. kit.json.described(name))
    end
    if select("#", ...) > 1 then
      failure.fail("require: it takes one name")
    end
    local first = position(name)
    if first then
      local chain = concat(loading, " -> ", first) .. " -> " .. name
      failure.fail("require: the module " .. name .. " needs itself: " .. chain)
    end
    if loaded[name] == nil then
      local value = run(name)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end
end
