--[[
A gate for CI: fails when a feature flag that the code needs is missing or off. The arguments are the keys of
the flags. Reads only, so it needs a personal API key with feature_flag:read and no approval.

Run:

    kosmo integrations:lua examples/require_flags.lua --emulator -- new-search new-dashboard retired-banner

Output:

    new-search: on
    new-dashboard: missing
    retired-banner: off
    error: examples/require_flags.lua:46: 2 of 3 flags are not ready
       45 | if failures > 0 then
       46 |   error(failures .. " of " .. #arg .. " flags are not ready")
          |   ^
       47 | end

Exit status: 1
]]

local posthog = app.integrations.posthog
assert(#arg > 0, "which flags? -- new-search new-dashboard")

local active, offset = {}, 0
repeat
  local page = posthog.list_feature_flags({ offset = offset })
  for _, flag in ipairs(page.results) do
    active[flag.key] = flag.active
  end
  offset = offset + #page.results
until not page.next

local failures = 0
for _, key in ipairs(arg) do
  if active[key] then
    print(key .. ": on")
  else
    print(key .. ": " .. (active[key] == nil and "missing" or "off"))
    failures = failures + 1
  end
end

if failures > 0 then
  error(failures .. " of " .. #arg .. " flags are not ready")
end
