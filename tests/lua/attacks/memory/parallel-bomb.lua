-- Each task takes a part, and catches that there is no more.
-- error: memory_limit
-- limits: memory=4000000
local kept = {}
parallel.map(function() return 1 end, function()
  pcall(function() kept[#kept + 1] = ("x"):rep(100000) .. #kept end)
end, {limit = 256, on_error = "collect"})
