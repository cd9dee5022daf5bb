-- table.move with metamethods that are C functions.
-- error: cpu_limit
-- needs: process
table.move(setmetatable({}, {__index = rawequal}), 1, 1 << 60, 1, setmetatable({}, {__newindex = rawequal}))
