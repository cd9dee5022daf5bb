-- A table that looks like the error of a call is a script's own.
-- error: runtime
error({code = "internal", type = "internal", effect = "unknown", origin = "{}", limit = "cpu_limit"})
