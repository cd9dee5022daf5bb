-- ipairs over a namespace: any index is the name of something that is not there.
-- error: cpu_limit
for _ in ipairs(app.integrations) do end
