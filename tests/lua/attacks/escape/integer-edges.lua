-- The smallest integer divided by -1, and shifts beyond all bits.
-- result: [-9223372036854775808, 0, 0, 0, false, false]
local least = math.mininteger
return least // -1, least % -1, 1 << 64, 1 >> math.maxinteger,
  (pcall(function() return 1 // 0 end)), (pcall(function() return 1 % 0 end))
