-- A script that is no Lua.
-- error: syntax
-- message: syntax error near <eof>
foo
