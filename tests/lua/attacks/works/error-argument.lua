-- Lua's own functions say which argument.
-- error: runtime
-- message: bad argument #1 to 'ipairs'
ipairs()
