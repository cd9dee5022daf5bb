-- A call of what does not exist is a call.
-- error: call_limit
-- limits: calls=20
while true do pcall(app.nothing.at.all) end
