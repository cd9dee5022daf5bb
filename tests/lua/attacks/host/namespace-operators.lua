-- Nothing but calls, names and pairs.
-- result: [false, false, false, false, 0]
local segment = app.integrations.segment
return (pcall(function() return segment + 1 end)), (pcall(function() return segment .. "x" end)),
  (pcall(function() return segment < segment end)), (pcall(function() return -segment end)), #segment
