-- Each namespace below app is read-only.
-- error: runtime
app.integrations.segment.track = print
