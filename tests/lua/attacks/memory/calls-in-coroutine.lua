-- The end of the calls, reached in coroutines that nobody asks about their end.
-- error: call_limit
-- limits: calls=20
while true do coroutine.resume(coroutine.create(app.integrations.segment.track), {}) end
