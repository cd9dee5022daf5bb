-- A key that the table does not have.
-- result: [false, false, false]
return (pcall(next, {}, 1)), (pcall(next, {}, {})), (pcall(next, {}, 0 / 0))
