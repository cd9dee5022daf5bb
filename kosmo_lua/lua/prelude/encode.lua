-- Writes a value as JSON text.
--
--   encode(value, options)            -> true, text, warnings | false, problem
--   encode_parts(value, is_object)    -> true, the text, or the parts of a long one | false, problem
--   encode_result(value, limit, over) -> as encode, lenient and bounded
--
-- A problem is a return value, never an error: the errors that do pass through here are a script's own, "not enough
-- memory", and the end of a run, and all of them go on untouched because nothing in this file catches any.
--
-- The writers put their pieces after piece `n` of the run and return the new n; nil is a problem, noted in the run.
-- `depth` counts the tables around a value, and `key` is the value's own in the innermost of them.

local kit = ...

local type, next, getmetatable, find = kit.type, kit.next, kit.getmetatable, kit.string.find
local format, rep, unpack = kit.string.format, kit.string.rep, kit.table.unpack
local huge, math_type = kit.math.huge, kit.math.type
local buffer, json, scalars = kit.buffer, kit.json, kit.scalars
local push, flush, MANY = buffer.push, buffer.flush, buffer.MANY
local marked, entries, array_size = json.marked, json.entries, json.array_size
local PLAIN, quote, repair, path = scalars.PLAIN, scalars.quote, scalars.repair, scalars.path
local complain, in_order = kit.names.complain, kit.names.in_order
local new_name, new_store = kit.names.new_name, kit.names.new_store

local MAX_DEPTH = 512
local EARLY = 1 << 20 -- bytes; what is larger is measured before it is written further
local LONG = 1024      -- bytes; a longer string does not wait among the pieces
local SHORT = 4096     -- bytes; the run that has written a longer text is not kept
local INTEGERS = 64    -- so many integers in a row are written at once
local MANY_INTEGERS = rep("%d", INTEGERS, ",")

local compact = new_store()

-- Nothing is written of a problem, so that the writers give up; a lenient run goes on with the stand-in.
local function write_stand_in(run, key, depth, n, what, stand_in)
  run.pieces[n + 1] = complain(run, depth, key, what, stand_in)
  return run.pieces[n + 1] and n + 1
end

--------------------------------------------------------------------------------------------------------- tables

local write

-- What stands before the first entry, between two, and after the last. A plain string is not quoted by itself, which
-- would make a string of each: its closing quote is written with what follows, by `quoted`.
local COMMA, LIST, OBJECT = { ",", '",' }, { "[", "]", '"]' }, { "{", "}", '"}' }

local function indented(signs, depth)
  local line = "\n" .. rep("    ", depth)
  local between, close = "," .. line .. "    ", line .. signs[2]
  return { between, '"' .. between }, { signs[1] .. line .. "    ", close, '"' .. close }
end

-- Writes a run of integers at once; piece by piece table.concat would make a string of each. Returns the last index that
-- is written, and the one before which there is no such run.
local function write_integers(run, source, index, size, n)
  local last = index + INTEGERS - 1
  if last > size then return index, size end
  for at = index + 1, last do
    if math_type(source[at]) ~= "integer" then return index, at end
  end
  run.pieces[n] = format(MANY_INTEGERS, unpack(source, index, last))
  return last, last
end

local function write_array(run, source, size, depth, n)
  local pieces, comma, signs = run.pieces, COMMA, LIST
  if size == 0 then
    pieces[n + 1] = "[]"
    return n + 1
  end
  if run.pretty then comma, signs = indented(signs, depth) end
  local lead, between, quoted = signs[1], comma[1], comma[2]
  local index, single = 1, run.pretty and size or 0
  while index <= size do
    local value = source[index]
    local kind = type(value)
    if kind == "string" and #value <= LONG and find(value, PLAIN) then
      pieces[n + 1], pieces[n + 2], pieces[n + 3] = lead, '"', value
      n, lead = n + 3, quoted
    elseif kind == "number" and math_type(value) == "integer" then
      pieces[n + 1], pieces[n + 2] = lead, value
      n, lead = n + 2, between
      if index > single then index, single = write_integers(run, source, index, size, n) end
    else
      pieces[n + 1] = lead
      n, lead = write(run, value, kind, index, depth + 1, n + 1), between
      if not n then return nil end
    end
    index = index + 1
    if n > MANY then n = flush(run, n) end
  end
  pieces[n + 1] = lead == between and signs[2] or signs[3]
  return n + 1
end

local function write_object(run, source, keys, depth, n)
  local pieces, comma, signs = run.pieces, COMMA, OBJECT
  if run.pretty then comma, signs = indented(signs, depth) end
  local opening, between, quoted = signs[1], comma[1], comma[2]
  local lead, step, subject = opening, next, source
  if keys then step, subject = in_order(keys, source), nil end
  local store = run.store
  for key, value in step, subject do
    local kind = type(value)
    local is_plain = kind == "string" and #value <= LONG and find(value, PLAIN)
    local names = is_plain and store[lead].plain or store[lead].any
    local name = names[key]
    if name == nil then
      name = new_name(run, names, lead, is_plain and '"' or "", source, key, depth)
      if name == nil then return nil end
    end
    if name and is_plain then
      pieces[n + 1], pieces[n + 2] = name, value
      n, lead = n + 2, quoted
    elseif name then
      pieces[n + 1] = name
      n, lead = write(run, value, kind, key, depth + 1, n + 1), between
      if not n then return nil end
    end
    if n > MANY then n = flush(run, n) end
  end
  if lead == opening then
    pieces[n + 1] = "{}"
  else
    pieces[n + 1] = lead == between and signs[2] or signs[3]
  end
  return n + 1
end

local function empty_is_array(run, t, depth)
  if depth == 0 and run.top_object then return false end
  return (marked[t] or json.decoded[t]) ~= "object"
end

-- The shape is the mark; without one a table is an array where its keys allow it.
local function write_entries(run, t, shape, depth, n)
  local source, keys, problem = t, nil, nil
  if getmetatable(t) ~= nil and not (run.lenient and json.planned[t]) then
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

local function write_refused(run, t, key, depth, n)
  if marked[t] == "null" then
    run.pieces[n + 1] = "null"
    return n + 1
  end
  local above = run.open[t]
  if above then
    local what = " refers back to " .. path(run.keys, above, run.keys[above])
    return write_stand_in(run, key, depth, n, what, '"<circular>"')
  end
  return write_stand_in(run, key, depth, n, " is nested too deep (more than 512 levels)", '"<too deep>"')
end

local function write_table(run, t, key, depth, n)
  local open, shape = run.open, marked[t]
  if open[t] or depth == MAX_DEPTH or shape == "null" then return write_refused(run, t, key, depth, n) end
  open[t] = depth
  run.keys[depth] = key
  if type(next(t)) == "string" and not shape and not run.sort and getmetatable(t) == nil then
    n = write_object(run, t, nil, depth, n)
  else
    n = write_entries(run, t, shape, depth, n)
  end
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

-- `kind` is the type of the value.
function write(run, value, kind, key, depth, n)
  if kind == "table" then return write_table(run, value, key, depth, n) end
  if kind == "string" then return write_string(run, value, key, depth, n) end
  if kind == "number" then
    -- table.concat writes an integer exactly, without a string of its own.
    if math_type(value) == "float" then return write_float(run, value, key, depth, n) end
    run.pieces[n + 1] = value
  elseif kind == "boolean" then
    run.pieces[n + 1] = value and "true" or "false"
  elseif kind == "nil" then
    run.pieces[n + 1] = "null"
  else
    return write_stand_in(run, key, depth, n, " is a " .. kind .. ", which JSON cannot hold", '"' .. kind .. '"')
  end
  return n + 1
end

local function new_run(options, limit, over)
  local run = buffer.new(limit, over)
  run.keys, run.open, run.warnings = {}, {}, {}
  run.pretty, run.lenient, run.sort = options.pretty, options.lenient, options.sort or options.pretty
  run.colon = options.pretty and '": ' or '":'
  run.store = options.pretty and new_store() or compact
  return run
end

local function encode_in(run, value, finish)
  local n = write(run, value, type(value), nil, 0, 0)
  if not n then return false, run.problem end
  return true, finish(run, n), run.warnings
end

local function encode(value, options)
  return encode_in(new_run(options or {}), value, buffer.finish)
end

-- The last run of `encode_parts`, if it was short: making one takes as long as writing a small table.
local spare

-- For arguments, which the host gets part by part; `is_object` says what an empty table at the top is.
local function encode_parts(value, is_object)
  local run = spare or new_run({})
  spare = nil -- a metamethod may come here meanwhile, and what an error has left is not used again
  run.top_object = is_object
  local n = write(run, value, type(value), nil, 0, 0)
  if not n then return false, run.problem end
  if run.size > 0 then return true, buffer.parts(run, n) end
  local text = buffer.finish(run, n)
  if #text <= SHORT then spare = run end
  return true, text
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
  local run = new_run({ lenient = true }, limit < EARLY and limit or EARLY, function(written)
    written.limit = limit
    if written.size > limit or least(value, 1, {}) > limit then over() end
  end)
  return encode_in(run, value, buffer.finish)
end

return encode, encode_parts, encode_result
