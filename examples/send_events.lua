--[[
Sends the events of a JSON text to PostHog, and handles each failure by what it means: a wrong event is skipped,
and where the answer was lost, also after kosmo has tried again, nothing is sent twice. When the rest cannot be
sent now, the run ends with the error, and its last line is the argument for the next run.

Run:

    kosmo integrations:lua examples/send_events.lua --emulator -- \
      '[{"event": "signup", "distinct_id": "user-1"}, {"event": "signup"}, {"event": "login", "distinct_id": "user-1"}]'

Output:

    event 2 refused: distinct_id is required (for example distinct_id = "user-123")
    2 of 3 events sent
]]

local posthog = app.integrations.posthog
local events = json.decode(arg[1] or "[]")

local sent = 0
for number, event in ipairs(events) do
  local ok, err = pcall(posthog.capture_event, event)
  if ok then
    sent = sent + 1
  elseif err.code == "invalid_arguments" then
    -- this event is wrong, nothing left the machine, and the next may be right
    print(("event %d refused: %s"):format(number, err.details.problems[1]))
  elseif err.effect == "unknown" then
    -- PostHog may have it: only a look at the events can tell
    print(("event %d may have been sent: %s"):format(number, err.code))
  else
    -- a missing key, no permission, no network, an outage: the next event would fail, too
    print(json.encode(json.array(table.move(events, number, #events, 1, {})), { sort = true }))
    error(err) -- with its code, its hint and its exit status
  end
end

print(sent .. " of " .. #events .. " events sent")
