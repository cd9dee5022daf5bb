--[[
Mirrors the purchases in PostHog to Segment. Both services then have one ID for each: the event's in PostHog is
a property in Segment, by which a destination can tell a purchase that arrives twice. The first argument is the
time to begin at; the last line has that of the next run.

Run:

    kosmo integrations:lua examples/mirror_purchases.lua --emulator -- 2026-04-01T00:00:00Z

Output:

    0196f1c2-0000-7000-8000-000000000006: user-123, Pro Plan, 49.99
    1 mirrored; go on from 2026-04-06T17:50:00+00:00
]]

local posthog, segment = app.integrations.posthog, app.integrations.segment
local after = arg[1] or "-1d"

-- The latest come first: read all pages, then send from the end.
local purchases, before = {}, nil
repeat
  local page = posthog.list_events({ event = "purchase", after = after, before = before })
  table.move(page.results, 1, #page.results, #purchases + 1, purchases)
  before = #purchases > 0 and purchases[#purchases].timestamp or nil
until not page.next

for number = #purchases, 1, -1 do
  local purchase = purchases[number]
  local product, amount = purchase.properties.product, purchase.properties.amount
  segment.track_event({
    event = "Order Completed",
    userId = purchase.distinct_id,
    properties = {
      posthog_event_id = purchase.id,
      purchased_at = purchase.timestamp, -- the time of a Segment event is that of its sending
      product = product,
      revenue = amount,
    },
  })
  print(("%s: %s, %s, %s"):format(purchase.id, purchase.distinct_id, product, amount))
  after = purchase.timestamp
end

print(#purchases .. " mirrored; go on from " .. after)
