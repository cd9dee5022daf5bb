--[[
Marks the users of PostHog whose plan is "pro" in Segment. With its recording beside it, and workflow.yml, it
is the example of docs/testing-workflows.md.
]]

local posthog, segment = app.integrations.posthog, app.integrations.segment
local marked = 0

for person in posthog.each_person() do
  local id = person.distinct_ids[1]
  if id and person.properties.plan == "pro" then
    segment.identify({ userId = id, traits = { plan = "pro" } })
    marked = marked + 1
  end
end

print(marked .. " users marked")
