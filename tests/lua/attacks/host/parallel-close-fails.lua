-- An error of a __close takes the place of the first one, as without parallel.
-- result: [false, "item 1: second"]
return pcall(parallel.map, {1}, function()
  local mark <close> = setmetatable({}, {__close = function() error("second", 0) end})
  error("first", 0)
end)
