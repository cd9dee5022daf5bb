-- Packing pads with megabytes of nothing.
-- error: cpu_limit
while true do local s = string.pack("c4000000", "") end
