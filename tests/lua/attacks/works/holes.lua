-- A list with holes.
-- result: [1, null, 3]
return {1, nil, 3}
