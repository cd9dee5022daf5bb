-- A handler that fails again and again fills the memory, and the end comes when there is no room to say why.
-- error: cpu_limit|memory_limit
-- limits: memory=4000000
xpcall(function() for _ in pairs(regex.gsub("x", "x", "y")) do end end, function()
  local x <close> = setmetatable({}, {__close = collectgarbage})
  do
    local y <close> = setmetatable({}, {__close = function() error(coroutine.wrap(rawlen)) end})
  end
  return nothing(true)
end)
