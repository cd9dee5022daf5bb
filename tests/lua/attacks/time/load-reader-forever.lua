-- A reader that never ends gives pieces for ever.
-- error: cpu_limit|memory_limit
load(function() return " " end)
