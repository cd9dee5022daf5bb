-- A namespace as an error shows its name.
-- error: runtime
-- message: app.integrations
error(app.integrations)
