-- What the host answers: `receive` tells an answer from an error and from the end of the run, `read` makes the value.
--
--   whole(...)    -> what the host has returned, not yet received: it may be kept
--   receive(...)  -> the text, or the number, that the host has returned; or raises
--   read(piece)   -> the value
--
-- A piece is what convert.py writes: Python's marshal format, version 2, and a 0x30 at the end. A list that begins with
-- MARK is one of those in `marked`, or values that share one format of string.unpack.
--
-- The readers get the place after the byte that says the kind of a value. They return the value, the kind of what
-- follows and the place after it, because one unpack can read both. `depth` counts the tables from the outermost.

local kit = ...
local failure, host = kit.failure, kit.host
local collectgarbage, error, load, next = kit.collectgarbage, kit.error, kit.load, kit.next
local byte, format, rep, sub, unpack = kit.string.byte, kit.string.format, kit.string.rep, kit.string.sub, kit.string.unpack
local concat, move, unpack_table = kit.table.concat, kit.table.move, kit.table.unpack
local math_type, tonumber = kit.math.type, kit.tonumber
local decoded, null, plain_key = kit.json.decoded, kit.json.null, kit.json.plain_key

local TEXT, SMALL, LARGE, FLOAT = 0x75, 0x69, 0x6C, 0x67 -- u i l g
local TRUE, FALSE, NONE = 0x54, 0x46, 0x4E -- T F N
local OBJECT, LIST, TUPLE, MARK, END = 0x7B, 0x5B, 0x28, 0x2E, 0x30 -- { [ ( . 0

local MAX_DEPTH = 512
local BLOCK = 1000 -- elements that come together at most
local SHAPES = 16 -- of objects, whose constructors are kept
local LONGEST_SHAPE = 4096 -- bytes of keys; the constructors of more take too much of a script's memory to be kept
local LONG = 65536 -- elements; from here on a list gets exactly the room that it needs

-- Made here and cut when they are used, because string.rep fails near the memory limit although there is garbage: its
-- buffer is allocated past the collector.
local NILS = rep("nil,", BLOCK)
local FORMATS = { xs4 = rep("xs4", 4 * BLOCK), xd = rep("xd", 4 * BLOCK) }
local INTEGERS = rep("i8", 4 * BLOCK)

-- The host returns true and a text or a number; false and a failure as JSON; nil and the limit that ends the run; or a
-- number alone, the size of an answer for which there is no room, until garbage was collected.
local function whole(ok, payload)
  if not ok or ok == true then return ok, payload end
  collectgarbage()
  ok, payload = host("take")
  if ok and ok ~= true then failure.stop("memory_limit") end
  return ok, payload
end

local function receive(ok, payload)
  ok, payload = whole(ok, payload)
  if ok == true then return payload end
  if ok == false then failure.raise(payload) end
  failure.stop(payload)
end

local read_value
local marked = {}

local function kind_at(data, at)
  return byte(data, at), at + 1
end

------------------------------------------------------------------------------------------------ objects and lists

local function check(depth)
  if depth > MAX_DEPTH then receive(host("refuse_value", "is nested too deep (more than 512 levels)")) end
end

local function read_object(data, at, depth)
  check(depth)
  local object, key, kind = {}, nil, nil
  kind, at = byte(data, at), at + 1
  while kind ~= END do
    if kind == TEXT then
      key, kind, at = unpack("<s4B", data, at)
    else
      key, kind, at = read_value(data, kind, at, depth)
      key = plain_key(key)
    end
    local value
    if kind == TEXT then
      value, kind, at = unpack("<s4B", data, at)
    else
      value, kind, at = read_value(data, kind, at, depth)
      if value == null then value = nil end
    end
    object[key] = value
  end
  if next(object) == nil then decoded[object] = "object" end
  return object, kind_at(data, at)
end

-- `none` is what null becomes: nil in a column, whose elements are fields of objects.
local function read_list(data, at, depth, none)
  check(depth)
  local list, size, kind = {}, nil, nil
  size, kind, at = unpack("<i4B", data, at)
  if kind == MARK and size > 0 then
    local name
    name, at = unpack("<xs4", data, at)
    return (marked[name] or marked.alike)(data, at, depth, name)
  end
  if size == 0 then decoded[list] = "array" end
  for index = 1, size do
    local value
    if kind == TEXT then
      value, kind, at = unpack("<s4B", data, at)
    else
      value, kind, at = read_value(data, kind, at, depth)
      if value == null then value = none end
    end
    list[index] = value
  end
  return list, kind, at
end

----------------------------------------------------------------------------------------------------- marked lists

local function unpacked(formats, size, data, at)
  local values = { unpack("<" .. formats, data, at) }
  at = values[size + 1]
  values[size + 1] = nil
  return values, kind_at(data, at)
end

-- Strings or floats: `item` is the format of each.
function marked.alike(data, at, _, item)
  local size, start = unpack("<xi4", data, at)
  return unpacked(sub(FORMATS[item], 1, #item * size), size, data, start)
end

-- Integers, as one string of bytes.
function marked.integers(data, at)
  local bytes, start = unpack("<xi4", data, at)
  return unpacked(sub(INTEGERS, 1, bytes // 4), bytes // 8, data, start)
end

-- Lists in a list: their lengths, and the elements of all of them in one list.
function marked.lists(data, at, depth)
  local lists, elements, kind
  lists, kind, at = read_value(data, byte(data, at), at + 1, 0)
  elements, kind, at = read_value(data, kind, at, depth)
  local stop = 0
  for index = 1, #lists do
    local start, size = stop + 1, lists[index]
    stop = stop + size
    lists[index] = { unpack_table(elements, start, stop) }
    if size == 0 then decoded[lists[index]] = "array" end
  end
  return lists, kind, at
end

-- What can be wrong with a text of ours is only that there is no memory to compile it.
local function compiled(source)
  local made, problem = load(source, "=[kosmo]", "t", {})
  if not made then error(problem, 0) end
  return made
end

-- Compiles a constructor that knows all keys: it is twice as fast as a table that grows key by key. Those of the last
-- shapes are kept, by the keys as they came: the next page of a list has the same.
local makers, kept = {}, 0

local function maker(keys, shape)
  if makers[shape] then return makers[shape] end
  local fields = {}
  for index = 1, #keys do
    fields[index] = format("[%q]=columns[%d][row]", keys[index], index)
  end
  local code = "local size, columns, rows = ... for row = 1, size do rows[row] = {%s} end return rows"
  local made = compiled(format(code, concat(fields, ",")))
  if #shape > LONGEST_SHAPE then return made end
  if kept == SHAPES then makers, kept = {}, 0 end
  makers[shape], kept = made, kept + 1
  return made
end

-- Objects with the same keys: their number, the keys, and a column for each.
function marked.rows(data, at, depth)
  local size, keys, kind
  size, kind, at = unpack("<xi4B", data, at)
  local start = at
  keys, kind, at = read_value(data, kind, at, 0)
  local make, columns = maker(keys, sub(data, start, at - 2)), {}
  for index = 1, #keys do
    columns[index], kind, at = read_list(data, at, depth + 1, nil)
  end
  local rows = make(size, columns, {})
  for index = 1, size do
    if next(rows[index]) == nil then decoded[rows[index]] = "object" end
  end
  return rows, kind, at
end

-- Returns an empty list with room for exactly `size` elements: one that grows has room for the next power of two.
local function with_room(size)
  local whole, step = size // BLOCK, 0
  return compiled(function()
    step = step + 1
    if step == 1 then return "return {" end
    if step <= whole + 1 then return NILS end
    if step == whole + 2 then return sub(NILS, 1, 4 * (size % BLOCK)) .. "}" end
  end)()
end

-- What a write returns in a dry run, by the name of the function.
function marked.planned(data, at)
  local name, kind, after = unpack("<xs4B", data, at)
  return kit.planned(name), kind, after
end

-- A list that comes in pieces: its index among such lists, and its size.
function marked.long(data, at, depth)
  local index, size, kind
  index, size, kind, at = unpack("<xi4xi4B", data, at)
  local list, stop = size > LONG and with_room(size) or {}, 0
  while stop < size do
    local piece = receive(host("more", index))
    local block = read_value(piece, byte(piece), 2, depth - 1)
    move(block, 1, #block, stop + 1, list)
    stop = stop + #block
  end
  return list, kind, at
end

----------------------------------------------------------------------------------------------------------- values

-- Beyond 32 bit marshal writes 15 bits at a time; from 60 bit on the host makes digits of them. What does not fit 64 bit
-- stays a text.
local function read_large(data, at)
  local signed = unpack("<i4", data, at)
  local count = signed < 0 and -signed or signed
  local stop = at + 4 + 2 * count
  if count > 4 then
    local digits = receive(host("digits", sub(data, at, stop - 1)))
    local number = tonumber(digits)
    return math_type(number) == "integer" and number or digits, kind_at(data, stop)
  end
  local number = 0
  for place = stop - 2, at + 4, -2 do
    number = number << 15 | unpack("<I2", data, place)
  end
  return signed < 0 and -number or number, kind_at(data, stop)
end

local function read_float(data, at)
  local number, kind, after = unpack("<dB", data, at)
  if number - number ~= 0 then number = null end -- NaN and infinities
  return number, kind, after
end

function read_value(data, kind, at, depth)
  if kind == TEXT then return unpack("<s4B", data, at) end
  if kind == SMALL then return unpack("<i4B", data, at) end
  if kind == NONE then return null, kind_at(data, at) end
  if kind == TRUE or kind == FALSE then return kind == TRUE, kind_at(data, at) end
  if kind == OBJECT then return read_object(data, at, depth + 1) end
  if kind == LIST or kind == TUPLE then return read_list(data, at, depth + 1, null) end
  if kind == FLOAT then return read_float(data, at) end
  if kind == LARGE then return read_large(data, at) end
  receive(host("refuse_value", "holds something that is no JSON value"))
end

local function read(piece)
  local value = read_value(piece, byte(piece), 2, 0)
  if value == null then return nil end
  return value
end

return { receive = receive, read = read, whole = whole }
