-- Writes a value as JSON text.
--
--   encode(value, options)  -> true, text, warnings | false, problem
--   encode_object(value)    -> the same; an empty table at the top is `{}`
--   encode_result(value, limit, over) -> the same, lenient and bounded
--
-- A problem is a return value, never an error: the errors that do pass through here are a script's own, "not enough
-- memory", and the end of a run, and all of them go on untouched because nothing in this file catches any.
--
-- The writers put their pieces after piece `n` of the run and return the new n; nil is a problem, noted in the run.
-- `depth` counts the tables around a value, and `key` is the value's own in the innermost of them.

local kit = ...

local type, next, getmetatable, find = kit.type, kit.next, kit.getmetatable, kit.string.find
local rep, sub, huge, math_type = kit.string.rep, kit.string.sub, kit.math.huge, kit.math.type
local buffer, json, scalars = kit.buffer, kit.json, kit.scalars
local push, flush, MANY = buffer.push, buffer.flush, buffer.MANY
local marked, entries, array_size, plain_key = json.marked, json.entries, json.array_size, json.plain_key
local PLAIN, quote, repair, path = scalars.PLAIN, scalars.quote, scalars.repair, scalars.path

local MAX_DEPTH = 512
local MAX_WARNINGS = 20
local EARLY = 1 << 20 -- bytes; what is larger is measured before it is written further
local LONG = 1024      -- bytes; a longer string does not wait among the pieces
local KNOWN_KEYS = 256 -- object keys whose quoted form is kept during one run

------------------------------------------------------------------------------------------------------- problems

-- nil, so that the writers give up; a lenient run takes the stand-in and goes on.
local function complain(run, depth, key, what, stand_in)
  local problem = path(run.keys, depth, key) .. what
  if not run.lenient then
    run.problem = problem
    return nil
  end
  if #run.warnings < MAX_WARNINGS then run.warnings[#run.warnings + 1] = problem end
  return stand_in
end

local function write_stand_in(run, key, depth, n, what, stand_in)
  run.pieces[n + 1] = complain(run, depth, key, what, stand_in)
  return run.pieces[n + 1] and n + 1
end

----------------------------------------------------------------------------------------------------------- keys

local function number_key(run, source, key, depth)
  local text = plain_key(key)
  if source[text] == nil then return '"' .. text .. run.colon end
  return complain(run, depth, run.keys[depth], " has a key collision: " .. text .. ' and "' .. text .. '"', false)
end

-- The quoted key with its colon; nil is a problem, false a key to leave out.
local function key_text(run, source, key, depth)
  local kind = type(key)
  if kind == "number" then return number_key(run, source, key, depth) end
  if kind ~= "string" then
    local stand_in = '"' .. plain_key(key) .. run.colon
    return complain(run, depth, run.keys[depth], ": cannot use " .. kind .. " as a key", stand_in)
  end
  local quoted = quote(key)
  if not quoted then
    local stand_in = quote(repair(key)) .. sub(run.colon, 2)
    return complain(run, depth + 1, key, " has a name that is not valid UTF-8", stand_in)
  end
  local text = quoted .. sub(run.colon, 2)
  if run.room > 0 then
    run.room = run.room - 1
    run.known[key] = text
  end
  return text
end

local function in_order(keys, source)
  local at = 0
  return function()
    at = at + 1
    local key = keys[at]
    return key, source[key]
  end
end

--------------------------------------------------------------------------------------------------------- tables

local write

-- What stands before the first entry, between two, and after the last.
local function indented(opening, closing, depth)
  local line = "\n" .. rep("    ", depth)
  return opening .. line .. "    ", "," .. line .. "    ", line .. closing
end

local function write_array(run, source, size, depth, n)
  local pieces = run.pieces
  local lead, between, close = "[", ",", "]"
  if run.pretty then lead, between, close = indented(lead, close, depth) end
  for index = 1, size do
    pieces[n + 1] = lead
    lead = between
    n = write(run, source[index], index, depth + 1, n + 1)
    if not n then return nil end
    if n > MANY then n = flush(run, n) end
  end
  pieces[n + 1] = size == 0 and "[]" or close
  return n + 1
end

local function write_object(run, source, keys, depth, n)
  local pieces, known = run.pieces, run.known
  local opening, between, close = "{", ",", "}"
  if run.pretty then opening, between, close = indented(opening, close, depth) end
  local lead = opening
  local step, subject = next, source
  if keys then step, subject = in_order(keys, source), nil end
  for key, value in step, subject do
    local text = known[key]
    if text == nil then
      text = key_text(run, source, key, depth)
      if text == nil then return nil end
    end
    if text then
      pieces[n + 1] = lead
      pieces[n + 2] = text
      lead = between
      n = write(run, value, key, depth + 1, n + 2)
      if not n then return nil end
      if n > MANY then n = flush(run, n) end
    end
  end
  pieces[n + 1] = lead == opening and "{}" or close
  return n + 1
end

local function empty_is_array(run, t, depth)
  if depth == 0 and run.top_object then return false end
  return (marked[t] or json.decoded[t]) ~= "object"
end

-- The shape is the mark; without one a table is an array where its keys allow it.
local function write_entries(run, t, shape, depth, n)
  local source, keys, problem = t, nil, nil
  if getmetatable(t) ~= nil then
    source, keys, problem = entries(t)
    if problem and complain(run, depth, run.keys[depth], problem, true) == nil then return nil end
  end
  local size = shape ~= "object" and array_size(source) or nil
  if size == 0 and not empty_is_array(run, t, depth) then size = nil end
  if size then return write_array(run, source, size, depth, n) end
  if shape == "array" and next(source) ~= nil then
    local what = " is marked with json.array, but its keys are not those of an array"
    if complain(run, depth, run.keys[depth], what, true) == nil then return nil end
  end
  if run.sort then keys = json.sorted_keys(source) end
  return write_object(run, source, keys, depth, n)
end

local function write_table(run, t, key, depth, n)
  local open, shape = run.open, marked[t]
  local above = open[t]
  if shape == "null" then
    run.pieces[n + 1] = "null"
    return n + 1
  elseif above then
    local what = " refers back to " .. path(run.keys, above, run.keys[above])
    return write_stand_in(run, key, depth, n, what, '"<circular>"')
  elseif depth == MAX_DEPTH then
    return write_stand_in(run, key, depth, n, " is nested too deep (more than 512 levels)", '"<too deep>"')
  end
  open[t] = depth
  run.keys[depth] = key
  n = write_entries(run, t, shape, depth, n)
  open[t] = nil
  return n
end

--------------------------------------------------------------------------------------------------------- values

local function write_float(run, x, key, depth, n)
  if x ~= x then return write_stand_in(run, key, depth, n, " is NaN", '"nan"') end
  if x == huge then return write_stand_in(run, key, depth, n, " is inf", '"inf"') end
  if x == -huge then return write_stand_in(run, key, depth, n, " is -inf", '"-inf"') end
  run.pieces[n + 1] = scalars.float_text(x)
  return n + 1
end

local function write_string(run, text, key, depth, n)
  local quoted = quote(text)
  if not quoted then
    quoted = complain(run, depth, key, " is a string that is not valid UTF-8", true) and quote(repair(text))
    if not quoted then return nil end
  end
  if #quoted <= LONG then
    run.pieces[n + 1] = quoted
    return n + 1
  end
  flush(run, n)
  push(run, quoted)
  return 0
end

function write(run, value, key, depth, n)
  local kind = type(value)
  if kind == "string" then
    if #value > LONG or not find(value, PLAIN) then return write_string(run, value, key, depth, n) end
    run.pieces[n + 1] = '"' .. value .. '"'
  elseif kind == "table" then
    return write_table(run, value, key, depth, n)
  elseif kind == "number" and math_type(value) == "float" then
    return write_float(run, value, key, depth, n)
  elseif kind == "number" then
    run.pieces[n + 1] = value -- table.concat writes an integer exactly, without a string of its own
  elseif kind == "boolean" then
    run.pieces[n + 1] = value and "true" or "false"
  elseif kind == "nil" then
    run.pieces[n + 1] = "null"
  else
    return write_stand_in(run, key, depth, n, " is a " .. kind .. ", which JSON cannot hold", '"' .. kind .. '"')
  end
  return n + 1
end

local function encode_with(value, options, top_object, limit, over)
  if type(options) ~= "table" then return false, "expected a table of options, got " .. json.described(options), {} end
  local run = buffer.new(limit, over)
  run.keys, run.open, run.known, run.room, run.warnings = {}, {}, {}, KNOWN_KEYS, {}
  run.pretty, run.lenient, run.top_object = options.pretty, options.lenient, top_object
  run.sort = options.sort or options.pretty
  run.colon = options.pretty and '": ' or '":'
  local n = write(run, value, nil, 0, 0)
  if not n then return false, run.problem, run.warnings end
  return true, buffer.finish(run, n), run.warnings
end

local function encode(value, options)
  return encode_with(value, options or {}, false)
end

local function encode_object(value)
  return encode_with(value, {}, true)
end

-- The least that a value takes as JSON. A table is looked at once, however often it is written: a small graph can be
-- a huge tree.
local function least(value, depth, known)
  if type(value) ~= "table" then return 1.0 end
  if known[value] or depth > MAX_DEPTH or getmetatable(value) ~= nil then return known[value] or 2.0 end
  known[value] = 2.0 -- inside itself
  local size = 1.0
  for _, item in next, value do size = size + 1 + least(item, depth + 1, known) end
  if size > 2 then known[value] = size end
  return known[value]
end

-- For the result of a script, which becomes printable whatever it is: beyond `limit` bytes `over` is called, for what
-- is far beyond it early.
local function encode_result(value, limit, over)
  return encode_with(value, { lenient = true }, false, limit < EARLY and limit or EARLY, function(written)
    written.limit = limit
    if written.size > limit or least(value, 1, {}) > limit then over() end
  end)
end

return encode, encode_object, encode_result
