-- How values are printed: the one format of print, dump, tostring and of errors.
--
--   show(value) -> string
--
-- Scalars look as Lua prints them, tables like `[\n  1,\n  2\n]` and `{\n  key: value\n}`, and what would be an address
-- elsewhere is the name of its type.

local kit = ...

local type, next, rawget, tostring, getmetatable = kit.type, kit.next, kit.rawget, kit.tostring, kit.getmetatable
local math_type, rep, sort = kit.math.type, kit.string.rep, kit.table.sort
local buffer, json = kit.buffer, kit.json
local flush, MANY = buffer.flush, buffer.MANY

local MAX_DEPTH = 200

-- Numbers come first, then strings, then keys that have no order of their own.
local function rank(key)
  local kind = type(key)
  return kind == "number" and 1 or kind == "string" and 2 or 3
end

local function key_text(key)
  local kind = type(key)
  if kind == "string" then return key end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(key) end
  return kind
end

local function before(a, b)
  local rank_a, rank_b = rank(a), rank(b)
  if rank_a ~= rank_b then return rank_a < rank_b end
  if rank_a == 3 then return key_text(a) < key_text(b) end
  return a < b
end

local function sorted_keys(source)
  local keys = {}
  for key in next, source do keys[#keys + 1] = key end
  sort(keys, before)
  return keys
end

-- The length of a table whose keys are exactly 1..n, and nil for any other.
local function array_size(source)
  local count, largest = 0, 0
  for key in next, source do
    if math_type(key) ~= "integer" or key < 1 then return nil end
    count = count + 1
    if key > largest then largest = key end
  end
  if largest == count then return count end
end

local write

local function write_array(run, source, size, depth, n)
  local line = "\n" .. rep("  ", depth)
  local lead, between = "[" .. line .. "  ", "," .. line .. "  "
  for index = 1, size do
    run.pieces[n + 1] = lead
    lead = between
    n = write(run, source[index], depth + 1, n + 1)
    if n > MANY then n = flush(run, n) end
  end
  run.pieces[n + 1] = line .. "]"
  return n + 1
end

local function write_object(run, source, depth, n)
  local line = "\n" .. rep("  ", depth)
  local lead, between = "{" .. line .. "  ", "," .. line .. "  "
  local keys = sorted_keys(source)
  for at = 1, #keys do
    local key = keys[at]
    run.pieces[n + 1] = lead
    run.pieces[n + 2] = key_text(key)
    run.pieces[n + 3] = ": "
    lead = between
    n = write(run, source[key], depth + 1, n + 3)
    if n > MANY then n = flush(run, n) end
  end
  run.pieces[n + 1] = line .. "}"
  return n + 1
end

local function write_entries(run, t, depth, n)
  local source = getmetatable(t) ~= nil and json.entries(t) or t
  local size = array_size(source)
  if size == 0 then
    run.pieces[n + 1] = json.is_array(t) and "[]" or "{}"
    return n + 1
  end
  if size then return write_array(run, source, size, depth, n) end
  return write_object(run, source, depth, n)
end

local function own_text(t)
  local metatable = getmetatable(t)
  local method = metatable and rawget(metatable, "__tostring")
  if method == nil then return nil end
  local text = method(t)
  if type(text) ~= 'string' then kit.fail("'__tostring' must return a string") end
  return text
end

local function write_table(run, t, depth, n)
  local text
  if run.open[t] then
    text = "<circular>"
  elseif depth > MAX_DEPTH then
    text = "<too deep>"
  else
    text = own_text(t)
  end
  if text then
    run.pieces[n + 1] = text
    return n + 1
  end
  run.open[t] = true
  n = write_entries(run, t, depth, n)
  run.open[t] = nil
  return n
end

function write(run, value, depth, n)
  if type(value) == "table" then return write_table(run, value, depth, n) end
  run.pieces[n + 1] = key_text(value)
  return n + 1
end

local function show(value)
  local kind = type(value)
  if kind == "number" then return tostring(value) end
  if kind ~= "table" then return key_text(value) end
  local run = buffer.new()
  run.open = {}
  return buffer.finish(run, write(run, value, 0, 0))
end

return { show = show }
