-- What a table of a script is in JSON: null, an array or an object, and what it holds. All JSON that crosses between
-- a script and the host is written and read in Lua, by encode.lua and decode.lua.
--
--   null, object(t), array(t)   -- what scripts see
--   marked, decoded             -- what a table is to be: "array", "object", or for null "null"
--   is_array(t)                 -- whether it is to be an array
--   described(value)            -> what a problem calls it
--   entries(t)                  -> a raw copy, its keys in order, a problem
--   array_size(t)               -> nil for what is no array
--   plain_key(key)              -> the text of a key
--   sorted_keys(t)
--
-- Values come from scripts and may have hostile metatables: tables are read raw (only __pairs is honoured), two tables
-- of a script are never compared (__eq), and no string is ever indexed (scripts share the metatable of strings).

local kit = ...

local type, next, pairs, setmetatable = kit.type, kit.next, kit.pairs, kit.setmetatable
local math_type, sort = kit.math.type, kit.table.sort
local number_text = kit.scalars.number_text

local null = setmetatable({}, {
  __metatable = false,
  __newindex = function() kit.fail("json.null cannot be changed") end,
  __tostring = function() return "null" end,
})

-- `marked` by the script, for good; `decoded` from an empty array or object, which counts only while the table stays
-- empty. Side tables and not metatables, so that setmetatable works on the values.
local marked = setmetatable({ [null] = "null" }, { __mode = "k" })
local decoded = setmetatable({}, { __mode = "k" })

-- What stands for the answers of a dry run. As the result of a script they are as they are; else nobody reads them.
local planned = setmetatable({}, { __mode = "k" })

local function described(value)
  if value == nil then return "nil" end
  if marked[value] == "null" then return "json.null" end
  return "a " .. type(value)
end

local function marker(shape)
  return function(t)
    if t == nil then t = {} end
    if type(t) ~= "table" or marked[t] == "null" then
      kit.fail("json." .. shape .. ": expected a table, got " .. described(t))
    end
    marked[t] = shape
    return t
  end
end

local function is_array(t)
  return (marked[t] or decoded[t]) == "array"
end

-- The copy is what the table's __pairs tells. The problem is what no raw table could hold: a key that comes twice, or
-- NaN as a key.
local function entries(t)
  local copy, keys, problem = {}, {}, nil
  for key, value in pairs(t) do
    if key ~= key then
      key, problem = "nan", ": cannot use NaN as a key"
    elseif copy[key] ~= nil then
      problem = " has a key collision: __pairs gives a key twice"
    end
    if value ~= nil then
      if copy[key] == nil then keys[#keys + 1] = key end
      copy[key] = value
    end
  end
  return copy, keys, problem
end

-- Holes may be half of an array.
local function sparse_size(t)
  local count, largest = 0, 0
  for key in next, t do
    if math_type(key) ~= "integer" or key < 1 then return nil end
    count = count + 1
    if key > largest then largest = key end
  end
  if largest <= 2 * count then return largest end
end

local function array_size(t)
  local size = 0
  for key in next, t do
    if key ~= size + 1 then return type(key) ~= "string" and sparse_size(t) or nil end
    size = size + 1
  end
  return size
end

-- What is no string, number or boolean cannot be a key in JSON; the name of its type stands in for it.
local function plain_key(key)
  local kind = type(key)
  if kind == "string" then return key end
  if kind == "number" then return number_text(key) .. "" end
  if kind == "boolean" then return key and "true" or "false" end
  return kind
end

local function sorted_keys(t)
  local keys, mixed = {}, false
  for key in next, t do
    keys[#keys + 1] = key
    mixed = mixed or type(key) ~= "string"
  end
  sort(keys, mixed and function(a, b) return plain_key(a) < plain_key(b) end or nil)
  return keys
end

return {
  null = null,
  object = marker("object"),
  array = marker("array"),
  marked = marked,
  decoded = decoded,
  is_array = is_array,
  described = described,
  planned = planned,
  entries = entries,
  array_size = array_size,
  plain_key = plain_key,
  sorted_keys = sorted_keys,
}
