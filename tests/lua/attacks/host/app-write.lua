-- app is read-only.
-- error: runtime
app.integrations = {}
