-- NUL, newlines and bytes that are no text in a message.
-- error: runtime
error("a\0b\nc\xff\27[2J")
