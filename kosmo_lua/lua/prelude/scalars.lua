-- Strings and numbers as JSON writes them, and as problems show them.
--
--   PLAIN                  -- matches a string that needs no escapes
--   quote(text)            -> the quoted text; nil where it is not valid UTF-8
--   repair(text)           -> valid UTF-8
--   float_text(x), number_text(x) -> what table.concat writes as the number: a text or a number
--   brief(text)            -> the quoted beginning of a text
--   path(keys, depth, key) -> where a value is: below `keys`, 1..depth-1, as `key`

local kit = ...

local type, next, tonumber = kit.type, kit.next, kit.tonumber
local char, find, format = kit.string.char, kit.string.find, kit.string.format
local gsub, sub, concat = kit.string.gsub, kit.string.sub, kit.table.concat
local math_type, to_integer, utf8_length = kit.math.type, kit.math.tointeger, kit.utf8.len
local new_buffer, flush, finish, MANY = kit.buffer.new, kit.buffer.flush, kit.buffer.finish, kit.buffer.MANY

local PLAIN = "^[]-~#-[ !]*$" -- printable ASCII without quote and backslash; the most frequent range comes first
local MAX_EXACT = 2 ^ 53      -- up to here every integral float is exactly that integer
local MAX_BRIEF = 40          -- bytes

local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\" }
for code = 0, 31 do ESCAPED[char(code)] = format("\\u%04x", code) end
for letter, control in next, { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" } do
  ESCAPED[control] = "\\" .. letter
end

local function quote(text)
  if find(text, PLAIN) then return '"' .. text .. '"' end
  if not utf8_length(text) then return nil end
  local as_lua = format("%q", text) -- escapes all that JSON must escape, and more, and is fast
  if #as_lua == #text + 2 then return as_lua end
  return '"' .. gsub(text, '[\0-\31"\\]', ESCAPED) .. '"'
end

-- Each byte that is not part of valid UTF-8 becomes U+FFFD.
local function repair(text)
  local buffer, n, at = new_buffer(), 0, 1
  while true do
    local length, bad = utf8_length(text, at)
    if length then break end
    buffer.pieces[n + 1] = sub(text, at, bad - 1)
    buffer.pieces[n + 2] = "\u{FFFD}"
    n = n + 2
    if n > MANY then n = flush(buffer, n) end
    at = bad + 1
  end
  buffer.pieces[n + 1] = sub(text, at)
  return finish(buffer, n + 1)
end

-- The shortest text that reads back as the same float; an integer where that is exact. NaN and inf: "nan", "inf".
local function float_text(x)
  if x >= -MAX_EXACT and x <= MAX_EXACT then
    local whole = to_integer(x)
    if whole then return whole end
    -- With few decimals it is what table.concat writes, in 14 digits.
    local scaled = x * 1e4
    if scaled == scaled // 1 and scaled / 1e4 == x and scaled < 1e13 and scaled > -1e13 then return x end
  elseif x ~= x then
    return "nan"
  end
  local text = format("%.15g", x)
  if tonumber(text) ~= x then text = format("%.16g", x) end
  if tonumber(text) ~= x then text = format("%.17g", x) end
  return find(text, "[.en]") and text or text .. ".0" -- beyond 2^53 it stays a float
end

local function number_text(x)
  if math_type(x) == "integer" then return x end
  return float_text(x)
end

local function brief(text)
  if #text > MAX_BRIEF then
    text = gsub(sub(text, 1, MAX_BRIEF), "[\194-\244][\128-\191]*$", "") .. "..."
  end
  return quote(repair(text))
end

-- A key in a path: `.name` or `[3]`.
local function step_text(key, first)
  local kind = type(key)
  if kind == "string" then
    if #key <= MAX_BRIEF and find(key, "^[%a_][%w_]*$") then return first and key or "." .. key end
    key = brief(key)
  else
    key = kind == "number" and number_text(key) or kind
  end
  return (first and "value[" or "[") .. key .. "]"
end

-- A deep path is cut in the middle.
local function path(keys, depth, key)
  if depth == 0 then return "value" end
  local steps = {}
  for level = 1, depth do
    local step = key
    if level < depth then step = keys[level] end
    if level <= 8 or level > depth - 4 then
      steps[#steps + 1] = step_text(step, level == 1)
    elseif level == 9 then
      steps[#steps + 1] = " ... "
    end
  end
  return concat(steps)
end

return {
  PLAIN = PLAIN,
  quote = quote,
  repair = repair,
  float_text = float_text,
  number_text = number_text,
  brief = brief,
  path = path,
}
