-- The Lua table `regex`: argument types are checked here, the matching itself is done by the host.
--
-- The chunk returns a function of `call`, where call(name, ...) asks the host and returns its decoded answer.

local kit = ...

local type, rawget, to_integer = kit.type, kit.rawget, kit.math.tointeger

local function described(value)
  return value == nil and "nil" or "a " .. type(value)
end

local function check_text(name, argument, value)
  if type(value) ~= "string" then
    kit.fail("regex." .. name .. ": the " .. argument .. " must be a string, got " .. described(value))
  end
end

-- With named groups the host answers {"": list, "names": object}, because JSON has no table that is both.
local function with_names(answer)
  if type(answer) ~= "table" then return answer end
  local list = rawget(answer, "")
  if list == nil then return answer end
  for name, value in kit.next, answer.names do list[name] = value end
  return list
end

return function(call)
  local function matcher(name)
    return function(subject, pattern, flags)
      check_text(name, "subject", subject)
      check_text(name, "pattern", pattern)
      if flags ~= nil then check_text(name, "flags argument", flags) end
      return with_names(call(name, subject, pattern, flags or ""))
    end
  end

  local function gsub(subject, pattern, replacement, limit)
    check_text("gsub", "subject", subject)
    check_text("gsub", "pattern", pattern)
    check_text("gsub", "replacement", replacement)
    if limit == nil then limit = -1 end
    if type(limit) ~= "number" or not to_integer(limit) then
      kit.fail("regex.gsub: the limit must be an integer, got " .. described(limit))
    end
    return call("gsub", subject, pattern, replacement, to_integer(limit))
  end

  return { match = matcher("match"), match_all = matcher("match_all"), gsub = gsub }
end
