-- The generator is C.
-- error: cpu_limit
while true do math.random(0) math.randomseed(1) end
