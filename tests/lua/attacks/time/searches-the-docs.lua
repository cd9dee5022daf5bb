-- docs is the host's work, but charged: a script cannot compute with it for free.
-- error: cpu_limit
while true do docs.search("track event user") end
