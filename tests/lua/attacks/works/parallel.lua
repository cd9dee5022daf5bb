-- Results are in the order of the items.
-- result: [[2, 4, 6], {"a": 1, "b": 2}]
return parallel.map({1, 2, 3}, function(n) return n * 2 end),
  parallel.all({a = function() return 1 end, b = function() return 2 end})
