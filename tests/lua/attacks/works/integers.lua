-- Exact to the last bit.
-- result: [9223372036854775807, -9223372036854775808, 9007199254740992]
return {math.maxinteger, math.mininteger, 2^53}
