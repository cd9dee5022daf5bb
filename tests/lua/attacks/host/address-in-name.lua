-- A name of app that is no string.
-- result: ["app.function", "app.function"]
return {tostring(app[print]), tostring(app[string.rep])}
