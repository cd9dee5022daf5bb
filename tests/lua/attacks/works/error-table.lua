-- A table with a message.
-- error: runtime
-- message: custom
error({code = 5, message = "custom"})
