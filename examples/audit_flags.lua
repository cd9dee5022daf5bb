--[[
Lists stale feature flags: those that are off, or on for everyone, and that nobody changed since a day. Their
code can go. The first argument is the day; without it, 90 days ago. Reads only.

Run:

    kosmo integrations:lua examples/audit_flags.lua --emulator -- 2026-04-01

Output:

    retired-banner: off, unchanged since 2026-03-15
    old-navigation: on for everyone, unchanged since 2024-02-01
    2 of 4 flags are stale
]]

local posthog = app.integrations.posthog
local day = arg[1] or os.date("!%Y-%m-%d", os.time() - 90 * 24 * 60 * 60)

local function on_for_everyone(flag)
  for _, group in ipairs(flag.filters.groups) do -- one condition set that lets all in is enough
    if #group.properties == 0 and (group.rollout_percentage or 100) == 100 then
      return not flag.filters.multivariate
    end
  end
end

local total, stale = 0, 0
repeat
  local page = posthog.list_feature_flags({ offset = total })
  for _, flag in ipairs(page.results) do
    local changed = flag.updated_at or flag.created_at
    local state = not flag.active and "off" or on_for_everyone(flag) and "on for everyone"
    if state and changed < day then -- ISO 8601: the order of the texts is that of the times
      stale = stale + 1
      print(("%s: %s, unchanged since %s"):format(flag.key, state, changed:sub(1, 10)))
    end
  end
  total = total + #page.results
until not page.next

print(("%d of %d flags are stale"):format(stale, total))
