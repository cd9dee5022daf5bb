-- The Lua table `regex`: argument types are checked here, the matching itself is done by the host.
--
-- The chunk returns a function of `call`, where call(name, ...) asks the host and returns its decoded answer.

local kit = ...

local type, rawget, next, to_integer = kit.type, kit.rawget, kit.next, kit.math.tointeger
local gsub, utf8_length = kit.string.gsub, kit.utf8.len

local function refuse(name, argument, wanted, value)
  local found = value == nil and "nil" or "a " .. type(value)
  kit.fail("regex." .. name .. ": the " .. argument .. " must be " .. wanted .. ", got " .. found)
end

local function check_text(name, argument, value)
  if type(value) ~= "string" then refuse(name, argument, "a string", value) end
  local length, bad = utf8_length(value)
  if not length then
    kit.fail("regex." .. name .. ": the " .. argument .. " is not valid UTF-8 at byte " .. bad)
  end
end

local function check_search(name, subject, pattern, flags)
  check_text(name, "subject", subject)
  check_text(name, "pattern", pattern)
  if flags ~= nil then check_text(name, "flags argument", flags) end
end

-- How many; -1 is all.
local function checked_limit(name, limit)
  if limit == nil then return -1 end
  if type(limit) ~= "number" or not to_integer(limit) then refuse(name, "limit", "an integer", limit) end
  return to_integer(limit)
end

-- With named groups the host answers {"": list, "names": object}, because JSON has no table that is both.
local function with_names(answer)
  if type(answer) ~= "table" then return answer end
  local list = rawget(answer, "")
  if list == nil then return answer end
  for name, value in next, answer.names do list[name] = value end
  return list
end

return function(call)
  local regex = {}

  for _, name in next, { "match", "match_all" } do
    regex[name] = function(subject, pattern, flags)
      check_search(name, subject, pattern, flags)
      return with_names(call(name, subject, pattern, flags or ""))
    end
  end

  -- The host gives matches in batches, and keeps the place; if it has forgotten it, it is told again.
  function regex.find_all(subject, pattern, flags)
    check_search("find_all", subject, pattern, flags)
    flags = flags or ""
    local batch, index, first, last = call("find_all", subject, pattern, flags), 0, 0, 0
    return function()
      while index == #batch.rows do
        if not batch.cursor then return nil end
        batch = call("find_more", batch.cursor)
          or call("find_all", subject, pattern, flags, first, last)
        index = 0
      end
      index = index + 1
      local row = batch.rows[index]
      first, last = batch.places[2 * index - 1], batch.places[2 * index]
      for name, group in next, batch.names do row[name] = row[group + 1] end
      return row, first, last
    end
  end

  function regex.split(subject, pattern, limit, flags)
    check_search("split", subject, pattern, flags)
    return call("split", subject, pattern, checked_limit("split", limit), flags or "")
  end

  function regex.gsub(subject, pattern, replacement, limit)
    check_search("gsub", subject, pattern)
    check_text("gsub", "replacement", replacement)
    return call("gsub", subject, pattern, replacement, checked_limit("gsub", limit))
  end

  -- Not in need of the host: PCRE takes a backslash before any character that is no letter and no digit.
  function regex.escape(text)
    check_text("escape", "text", text)
    return (gsub(text, "[^%w_\128-\255]", "\\%0"))
  end

  return regex
end
