-- What a write returns in a dry run: a table of which `dry_run` can be read. To read anything else of it ends the run,
-- because what the script would do next depends on an answer that nobody has.
--
--   planned(name) -> the table; `name` is that of the function

local kit = ...
local failure, json = kit.failure, kit.json
local setmetatable, type = kit.setmetatable, kit.type

local function ends(name, what)
  return function()
    failure.stop("dry_run_incomplete", what, name)
  end
end

return function(name)
  local meta = {
    __metatable = false,
    __index = function(_, key)
      local field = type(key) == "string" and #key <= 100 and '"' .. key .. '"' or "a field"
      failure.stop("dry_run_incomplete", field, name)
    end,
    __len = ends(name, "the length"),
    __pairs = ends(name, "the fields"),
    __tostring = ends(name, "the text"),
    __concat = ends(name, "the text"),
    __call = ends(name, "a function"),
  }
  local answer = setmetatable({ dry_run = true }, meta)
  json.planned[answer] = true
  return answer
end
