-- Several are a list.
-- result: [1, null, "x"]
return 1, nil, 'x'
