-- Options that are none.
-- result: [false, false]
return (pcall(json.decode, "1", "x")), (pcall(json.encode, 1, print))
