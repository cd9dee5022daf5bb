-- The end of the calls, reached and caught in a __close.
-- error: call_limit
-- limits: calls=20
while true do
  local x <close> = setmetatable({}, {__close = function() pcall(app.integrations.segment.track, {}) end})
end
