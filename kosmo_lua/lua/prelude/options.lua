-- The options of functions: tables in which every name and every value is checked.
--
--   check(name, options, known)  -> a copy, empty for nil; `name` is the function, as errors carry it. `known` maps
--                                   each option to a function that says what it must be, if its value is not
--   integer(lowest, highest), one_of(...), boolean   -- such functions

local kit = ...
local failure, json, show = kit.failure, kit.json, kit.text.show
local brief, concat, next, pack = kit.scalars.brief, kit.table.concat, kit.next, kit.table.pack
local math_type, sort, type = kit.math.type, kit.table.sort, kit.type

local function told(value)
  local kind = type(value)
  if kind == "number" or kind == "boolean" then return show(value) end
  return kind == "string" and brief(value) or json.described(value)
end

local function names_of(known)
  local names = {}
  for name in next, known do names[#names + 1] = name end
  sort(names)
  return concat(names, ", ")
end

-- A copy: what the script's metatable or another task makes of the table later is not looked at.
local function check(name, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then failure.fail(name .. ": the options must be a table, got " .. told(options)) end
  local checked = {}
  for key, value in next, options do
    local problem = known[key]
    if not problem then failure.fail(name .. ": unknown option " .. show(key) .. ": it takes " .. names_of(known)) end
    local wanted = problem(value)
    if wanted then failure.fail(name .. ": " .. key .. " must be " .. wanted .. ", got " .. told(value)) end
    checked[key] = value
  end
  return checked
end

local function integer(lowest, highest)
  return function(value)
    if math_type(value) == "integer" and value >= lowest and value <= highest then return nil end
    return "a whole number from " .. lowest .. " to " .. highest
  end
end

local function one_of(...)
  local allowed = pack(...)
  return function(value)
    for index = 1, allowed.n do
      if value == allowed[index] then return nil end
    end
    return '"' .. concat(allowed, '" or "') .. '"'
  end
end

local function boolean(value)
  return type(value) ~= "boolean" and "true or false" or nil
end

return { check = check, integer = integer, one_of = one_of, boolean = boolean }
