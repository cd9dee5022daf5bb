--[[
Copies what PostHog knows about persons to Segment, as traits. Anonymous persons stay out, and so do the
properties that PostHog sets itself ("$browser", "$geoip_city_name", ...). Identifying a user twice does no harm:
run it as often as you like. The first argument is the size of a page.

Run:

    kosmo integrations:lua examples/backfill_traits.lua --emulator -- 2

Output:

    user-456: email, plan
    user-123: email, plan
    2 of 3 persons sent
]]

local posthog, segment = app.integrations.posthog, app.integrations.segment
local size = math.tointeger(arg[1] or 100)

local ANONYMOUS = [[/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i]] -- PostHog's own IDs are UUIDs

local function user_id(person)
  for _, id in ipairs(person.is_identified and person.distinct_ids or {}) do
    if not regex.match(id, ANONYMOUS) then
      return id
    end
  end
end

local function traits_of(person)
  local traits, names = {}, {}
  for name, value in pairs(person.properties) do
    if name:sub(1, 1) ~= "$" then
      traits[name] = value
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return traits, names
end

local seen, sent = 0, 0
repeat
  local page = posthog.list_persons({ limit = size, offset = seen })
  for _, person in ipairs(page.results) do
    local id = user_id(person)
    if id then
      local traits, names = traits_of(person)
      segment.identify_user({ userId = id, traits = traits })
      sent = sent + 1
      print(id .. ": " .. table.concat(names, ", "))
    end
  end
  seen = seen + #page.results
until not page.next

print(sent .. " of " .. seen .. " persons sent")
