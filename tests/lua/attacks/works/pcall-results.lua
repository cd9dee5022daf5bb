-- Results of pcall come with their holes.
-- result: 3
return select('#', pcall(function() return nil, nil end))
