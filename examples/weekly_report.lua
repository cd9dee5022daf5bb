--[[
A report for cron: how often each event happened, the saved insights, and the dashboards. The arguments are the
first and the last moment; without them, the last seven days. Reads only. In a crontab:

    0 7 * * 1  kosmo integrations:lua weekly_report.lua | mail -s "PostHog" team@example.com

Run:

    kosmo integrations:lua examples/weekly_report.lua --emulator -- 2026-04-01 2026-04-08

Output:

    Events
      5  $pageview
      1  purchase
    Insights
      Page views per day (2026-04-07)
      $pageview -> purchase (2026-04-07)
    Dashboards
      Product overview
      no name, ID 2
]]

local posthog = app.integrations.posthog
local after, before = arg[1] or "-7d", arg[2]

local counts, names = {}, {}
repeat
  local page = posthog.list_events({ after = after, before = before, limit = 1000 })
  for _, event in ipairs(page.results) do
    if not counts[event.event] then
      names[#names + 1] = event.event
    end
    counts[event.event] = (counts[event.event] or 0) + 1
    before = event.timestamp -- the next page ends where this one does
  end
until not page.next

table.sort(names, function(a, b)
  return counts[a] > counts[b] or counts[a] == counts[b] and a < b
end)

print("Events")
for _, name in ipairs(names) do
  print(("%3d  %s"):format(counts[name], name))
end

print("Insights")
for _, insight in ipairs(posthog.list_insights({ limit = 20 }).results) do
  print(("  %s (%s)"):format(insight.name, (insight.last_refresh or "never"):sub(1, 10)))
end

print("Dashboards")
for _, dashboard in ipairs(posthog.list_dashboards({ limit = 20 }).results) do
  print("  " .. (dashboard.name ~= "" and dashboard.name or "no name, ID " .. dashboard.id))
end
