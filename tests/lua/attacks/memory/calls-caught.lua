-- The end of the calls is not caught.
-- error: call_limit
-- limits: calls=20
while true do pcall(app.integrations.segment.track, {}) end
