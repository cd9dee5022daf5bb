-- The shortest escape there is.
-- error: runtime
python.eval("1")
