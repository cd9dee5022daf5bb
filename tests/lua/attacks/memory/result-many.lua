-- A quarter of a million results.
-- error: result_limit
-- limits: result=100000
return table.unpack({}, 1, 250000)
