-- No function of the host is a value of the script.
-- result: ["function", "function"]
return debug.traceback(print), type(app.integrations.segment.track)
