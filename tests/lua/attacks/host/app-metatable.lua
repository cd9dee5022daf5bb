-- Namespaces are closed.
-- result: [false, false]
return getmetatable(app), getmetatable(app.integrations)
