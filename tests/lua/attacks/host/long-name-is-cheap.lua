-- Looking for the name that was meant takes long, and is the host's work.
-- result: false
return (pcall(app.integrations.segment[("tr"):rep(2e6)]))
