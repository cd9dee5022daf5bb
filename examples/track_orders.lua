--[[
Tracks the orders of a log, one line each: the first argument, or the sample below. When the service fails, the
run ends and says at which line; run it again with that number as the second argument to go on from there.

Run:

    kosmo integrations:lua examples/track_orders.lua --emulator

Output:

    line 1: order 1001 of user-42, 99.99 USD
    line 2: not an order
    line 3: order 1002 of user-43, 12.5 EUR
    tracked 112.49 in 2 orders
]]

local segment = app.integrations.segment

local log = arg[1] or [[
2026-04-05 10:00 order=1001 user=user-42 total=99.99 currency=USD
2026-04-05 10:01 health check
2026-04-05 10:02 order=1002 user=user-43 total=12.50 currency=EUR
]]
local first = tonumber(arg[2] or 1)

local ORDER = [[order=(?<id>\d+) user=(?<user>\S+) total=(?<total>[\d.]+) currency=(?<currency>[A-Z]{3})]]

local function track(order)
  segment.track_event({
    event = "Order Completed",
    userId = order.user,
    properties = { order_id = order.id, revenue = tonumber(order.total), currency = order.currency },
  })
end

local number, orders, sum = 0, 0, 0
for line in log:gmatch("[^\n]+") do
  number = number + 1
  local order = number >= first and regex.match(line, ORDER)
  if order then
    local ok, err = pcall(track, order)
    if not ok then
      print("stopped at line " .. number)
      error(err)
    end
    orders, sum = orders + 1, sum + order.total
    print(("line %d: order %s of %s, %s %s"):format(number, order.id, order.user, order.total + 0, order.currency))
  elseif number >= first then
    print("line " .. number .. ": not an order")
  end
end

print("tracked " .. sum .. " in " .. orders .. " orders")
