-- Reads a value from JSON text, strictly as RFC 8259 has it.
--
--   decode(text, options) -> true, value | false, problem
--
-- The parsers return the value and where the text goes on; nowhere (nil) is a problem, noted in the run.

local kit = ...

local type, next, tonumber, math_type, huge = kit.type, kit.next, kit.tonumber, kit.math.type, kit.math.huge
local byte, find, match, sub = kit.string.byte, kit.string.find, kit.string.match, kit.string.sub
local codepoint_to_text, utf8_length = kit.utf8.char, kit.utf8.len
local buffer, brief, MANY = kit.buffer, kit.scalars.brief, kit.buffer.MANY
local null, decoded, described = kit.json.null, kit.json.decoded, kit.json.described

local MAX_DEPTH = 512

------------------------------------------------------------------------------------------------------- problems

local function fail(run, at, what)
  run.problem, run.at = what, at
end

-- Columns count characters, not bytes. Up to the place of a problem the text is valid UTF-8.
local function place(text, at)
  local line, start = 1, 1
  while true do
    local newline = find(text, "\n", start, true)
    if not newline or newline >= at then break end
    line, start = line + 1, newline + 1
  end
  local column = at > start and utf8_length(text, start, at - 1) or 0
  return "line " .. line .. ", column " .. column + 1 .. ": "
end

local function unexpected(run, at, wanted)
  local found = match(run.text, "^[%w_.+-]+", at) or match(run.text, "^.[\128-\191]*", at)
  if not found then return fail(run, at, "expected " .. wanted .. ", but the text ends") end
  return fail(run, at, "expected " .. wanted .. ", found " .. brief(found))
end

-------------------------------------------------------------------------------------------------------- strings

local SIMPLE = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function in_range(code, first, last)
  return code ~= nil and code >= first and code <= last
end

-- The character of the escape at `at`, and where it ends; or nil and what is wrong with it.
local function escape_at(text, at)
  local letter = sub(text, at + 1, at + 1)
  if SIMPLE[letter] then return SIMPLE[letter], at + 2 end
  if letter ~= "u" then return nil, "invalid escape in a string" end
  local code = tonumber(match(text, "^%x%x%x%x", at + 2) or "", 16)
  if not code then return nil, "\\u needs four hexadecimal digits" end
  if not in_range(code, 0xD800, 0xDFFF) then return codepoint_to_text(code), at + 6 end
  local low = tonumber(match(text, "^\\u(%x%x%x%x)", at + 6) or "", 16)
  if code >= 0xDC00 or not in_range(low, 0xDC00, 0xDFFF) then return nil, "lone surrogate in a string" end
  return codepoint_to_text(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 12
end

-- A string with escapes, from after its opening quote; or one that is wrong.
local function parse_escaped(run, at)
  local text, written, n = run.text, buffer.new(), 0
  while true do
    local stop = find(text, '["\\\0-\31]', at)
    if not stop then return unexpected(run, #text + 1, "the end of the string") end
    written.pieces[n + 1] = sub(text, at, stop - 1)
    local code = byte(text, stop)
    if code == 34 then return buffer.finish(written, n + 1), stop + 1 end
    if code ~= 92 then return fail(run, stop, "control character in a string") end
    local character, after = escape_at(text, stop)
    if not character then return fail(run, stop, after) end
    written.pieces[n + 2] = character
    n, at = n + 2, after
    if n > MANY then n = buffer.flush(written, n) end
  end
end

-- From after the opening quote.
local function parse_string(run, at)
  local text, after = match(run.text, '^([^"\\\0-\31]*)"()', at)
  if text then return text, after end
  return parse_escaped(run, at)
end

-------------------------------------------------------------------------------------------------------- numbers

local function parse_big(run, at, digits, after)
  if run.big then return digits, after end
  return fail(run, at, 'the number does not fit 64 bit; decode with {big = "string"} to get it as a string')
end

local function parse_float(run, at, after)
  local text = run.text
  local fraction = match(text, "^%.%d+()", after)
  local exponent = match(text, "^[eE][+-]?%d+()", fraction or after)
  local stop = exponent or fraction
  if not stop or find(text, "^[.eE]", stop) then return unexpected(run, at, "a number") end
  local digits = sub(text, at, stop - 1)
  local number = tonumber(digits)
  if number == huge or number == -huge then return parse_big(run, at, digits, stop) end
  return number, stop
end

local function parse_number(run, at)
  local digits, after = match(run.text, "^(-?%d+)()", at)
  if not digits then return unexpected(run, at, "a value") end
  if find(digits, "^-?0%d") then return fail(run, at, "a number cannot start with a zero") end
  if find(run.text, "^[.eE]", after) then return parse_float(run, at, after) end
  local number = #digits <= 20 and tonumber(digits)
  if math_type(number) == "integer" then return number, after end
  return parse_big(run, at, digits, after)
end

--------------------------------------------------------------------------------------------- arrays and objects

local parse

local function skip(text, at)
  return match(text, "^[ \n\r\t]*()", at)
end

local function sign_after_blanks(text, at)
  at = skip(text, at)
  return byte(text, at), at
end

local function empty(shape)
  local t = {}
  decoded[t] = shape
  return t
end

local function parse_array(run, at, depth)
  local text, list, size = run.text, {}, 0
  at = skip(text, at)
  if byte(text, at) == 93 then return empty("array"), at + 1 end
  while true do
    local value
    value, at = parse(run, at, depth)
    if not at then return nil end
    size = size + 1
    list[size] = value
    local sign = byte(text, at)
    if sign ~= 44 and sign ~= 93 then sign, at = sign_after_blanks(text, at) end
    if sign == 93 then return list, at + 1 end
    if sign ~= 44 then return unexpected(run, at, '"," or "]"') end
    at = at + 1
  end
end

-- From where a key must come; the common key has no escapes and is read in one go.
local function parse_key(run, at)
  local text = run.text
  local key, after = match(text, '^[ \n\r\t]*"([^"\\\0-\31]*)"[ \n\r\t]*:()', at)
  if key then return key, after end
  at = skip(text, at)
  if byte(text, at) ~= 34 then return unexpected(run, at, "a key in quotes") end
  key, after = parse_string(run, at + 1)
  if not after then return nil end
  after = skip(text, after)
  if byte(text, after) ~= 58 then return unexpected(run, after, '":"') end
  return key, after + 1
end

local function remove_nulls(object)
  for key, value in next, object do
    if value == null then object[key] = nil end
  end
  if next(object) == nil then decoded[object] = "object" end
end

local function parse_object(run, at, depth)
  local text, object, nulls = run.text, {}, false
  local start = skip(text, at)
  if byte(text, start) == 125 then return empty("object"), start + 1 end
  while true do
    local key, value
    start = at
    key, at = parse_key(run, at)
    if not at then return nil end
    if object[key] ~= nil then return fail(run, skip(text, start), "duplicate key " .. brief(key)) end
    value, at = parse(run, at, depth)
    if not at then return nil end
    object[key] = value
    nulls = nulls or value == null -- no __eq here: neither json.null nor what is decoded has one
    local sign = byte(text, at)
    if sign ~= 44 and sign ~= 125 then sign, at = sign_after_blanks(text, at) end
    if sign == 125 then break end
    if sign ~= 44 then return unexpected(run, at, '"," or "}"') end
    at = at + 1
  end
  if nulls and not run.null then remove_nulls(object) end
  return object, at + 1
end

--------------------------------------------------------------------------------------------------------- values

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = null }

-- null is `json.null` here; the object or the caller that gets it decides what it becomes.
function parse(run, at, depth)
  local text = run.text
  local code = byte(text, at)
  if code == 32 or code == 10 or code == 13 or code == 9 then
    code, at = sign_after_blanks(text, at)
  end
  if code == 34 then
    return parse_string(run, at + 1)
  elseif code == 123 or code == 91 then
    if depth == MAX_DEPTH then return fail(run, at, "nested too deep (more than 512 levels)") end
    return (code == 123 and parse_object or parse_array)(run, at + 1, depth + 1)
  elseif code == 116 or code == 102 or code == 110 then
    local word, after = match(text, "^(%l+)()", at)
    local value = WORDS[word]
    if value == nil then return unexpected(run, at, "a value") end
    return value, after
  end
  return parse_number(run, at)
end

local function decode_whole(run, text)
  if find(text, "^\xEF\xBB\xBF") then return fail(run, 1, "the text starts with a byte order mark") end
  local length, bad = utf8_length(text)
  if not length then return fail(run, bad, "invalid UTF-8") end
  local value, at = parse(run, 1, 0)
  if not at then return nil end
  at = skip(text, at)
  if at <= #text then return unexpected(run, at, "nothing more") end
  return value, at
end

local function decode(text, options)
  options = options or {}
  if type(text) ~= "string" then return false, "expected a string, got " .. described(text) end
  local run = { text = text, null = options.null, big = options.big == "string" }
  local value, after = decode_whole(run, text)
  if not after then return false, place(text, run.at) .. run.problem end
  if value == null and not run.null then value = nil end
  return true, value
end

return decode
