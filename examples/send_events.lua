--[[
Sends the events of a JSON text to PostHog, and handles each failure by what it means: a wrong event is skipped,
a failure that may pass is tried once more, and where the answer was lost nothing is sent twice. When the rest
cannot be sent now, the run ends with the error, and its last line is the argument for the next run.

Run:

    kosmo integrations:lua examples/send_events.lua --emulator -- \
      '[{"event": "signup", "distinct_id": "user-1"}, {"event": "signup"}, {"event": "login", "distinct_id": "user-1"}]'

Output:

    event 2 refused: distinct_id is required (for example distinct_id = "user-123")
    2 of 3 events sent
]]

local posthog = app.integrations.posthog
local events = json.decode(arg[1] or "[]")

local function what_to_do(err, attempt)
  if err.code == "invalid_arguments" then
    return "skip" -- this event is wrong, nothing left the machine, and the next may be right
  elseif err.effect == "unknown" then
    return "look" -- PostHog may have it: only a look at the events can tell
  elseif err.retryable and err.code ~= "rate_limited" and attempt == 1 then
    return "again"
  end
  return "stop" -- a missing key, no permission, no network: the next event would fail, too
end

local sent = 0
for number, event in ipairs(events) do
  local attempt, action = 0, nil
  repeat
    attempt = attempt + 1
    local ok, err = pcall(posthog.capture_event, event)
    action = ok and "sent" or what_to_do(err, attempt)
    if action == "skip" then
      print(("event %d refused: %s"):format(number, err.details.problems[1]))
    elseif action == "look" then
      print(("event %d may have been sent: %s"):format(number, err.code))
    elseif action == "stop" then
      print(json.encode(json.array(table.move(events, number, #events, 1, {})), { sort = true }))
      error(err) -- with its code, its hint and its exit status
    end
  until action ~= "again"
  sent = sent + (action == "sent" and 1 or 0)
end

print(sent .. " of " .. #events .. " events sent")
