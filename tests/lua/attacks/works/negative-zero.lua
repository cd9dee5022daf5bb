-- Not -0.0.
-- result: 0
return -0.0
