-- Even a __gc of false would let a later one be honoured.
-- result: false
return (pcall(setmetatable, {}, {__gc = false}))
