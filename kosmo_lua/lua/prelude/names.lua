-- What the encoder writes before a value of an object, and what it says of a value that JSON cannot hold.
--
--   complain(run, depth, key, what, stand_in) -> the stand-in in a lenient run, else nil and the problem is noted
--   new_store()                               -> a store: store[sign].any[key] is the name before any value,
--                                                store[sign].plain[key] before a plain string
--   new_name(run, names, sign, quote, source, key, depth) -> a name; nil is a problem, false a key to leave out
--   in_order(keys, source)                    -> an iterator
--
-- A name is the sign before a key, the quoted key, a colon, and the opening quote where a plain string follows. Keys
-- come again and again, in one run of the encoder and in the next, so names are kept.

local kit = ...

local setmetatable, type, sub = kit.setmetatable, kit.type, kit.string.sub
local plain_key = kit.json.plain_key
local path, quote, repair = kit.scalars.path, kit.scalars.quote, kit.scalars.repair

local MAX_WARNINGS = 20
local ROOM = 1024 -- so many names are kept
local SHORT = 40  -- bytes; a longer key is not kept

local function complain(run, depth, key, what, stand_in)
  local problem = path(run.keys, depth, key) .. what
  if not run.lenient then
    run.problem = problem
    return nil
  end
  if #run.warnings < MAX_WARNINGS then run.warnings[#run.warnings + 1] = problem end
  return stand_in
end

local function number_key(run, source, key, depth)
  local text = plain_key(key)
  if source[text] == nil then return '"' .. text .. run.colon end
  return complain(run, depth, run.keys[depth], " has a key collision: " .. text .. ' and "' .. text .. '"', false)
end

-- The quoted key with its colon, and whether it is the same wherever it stands; nil is a problem, false a key to leave
-- out.
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
  return quoted .. sub(run.colon, 2), true
end

local by_sign = {
  __index = function(store, sign)
    local names = { any = {}, plain = {} }
    store[sign] = names
    return names
  end,
}

local function new_store()
  return setmetatable({ room = ROOM }, by_sign)
end

local function new_name(run, names, sign, opening_quote, source, key, depth)
  local text, fixed = key_text(run, source, key, depth)
  if not text then return text end
  text = sign .. text .. opening_quote
  if fixed and #key <= SHORT and run.store.room > 0 then
    run.store.room = run.store.room - 1
    names[key] = text
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

return {
  complain = complain,
  new_store = new_store,
  new_name = new_name,
  in_order = in_order,
}
