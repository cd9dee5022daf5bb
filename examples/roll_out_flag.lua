--[[
Rolls a feature flag out in steps. The first argument is its key, the others are percentages; a flag that does
not exist is created at the first. Each step is read back, and a step that did not take ends the run. To watch
the effect of a step before the next, run the script once for each: -- new-dashboard 10

Run:

    kosmo integrations:lua examples/roll_out_flag.lua --emulator -- new-dashboard 10 50 100

Output:

    new-dashboard: new to 10 %
    new-dashboard: 10 % to 50 %
    new-dashboard: 50 % to 100 %
]]

local posthog = app.integrations.posthog
local key = assert(arg[1], "which flag? -- new-dashboard 10 50 100")

local function find(wanted)
  local offset = 0
  repeat
    local page = posthog.list_feature_flags({ offset = offset })
    for _, flag in ipairs(page.results) do
      if flag.key == wanted then
        return flag
      end
    end
    offset = offset + #page.results
  until not page.next
end

local flag = find(key)
for step = 2, #arg do
  local percentage = assert(math.tointeger(arg[step]), arg[step] .. " is no whole number")
  local before = "new"
  if flag then
    before = (flag.rollout_percentage or "?") .. " %"
    posthog.update_feature_flag({ flag_id = flag.id, active = true, rollout_percentage = percentage })
  else
    flag = posthog.create_feature_flag({ name = key, key = key, rollout_percentage = percentage })
  end

  flag = posthog.get_feature_flag({ flag_id = flag.id })
  assert(flag.rollout_percentage == percentage, key .. " did not take " .. percentage .. " %")
  print(key .. ": " .. before .. " to " .. percentage .. " %")
end
