-- The end of the calls, reached in a comparison, whose error table.sort would pass on as its own.
-- error: call_limit
-- limits: calls=20
while true do pcall(table.sort, {2, 1}, app.integrations.segment.track) end
