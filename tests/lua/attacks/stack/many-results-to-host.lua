-- A thousand arguments to the host.
-- result: false
return (pcall(app.integrations.segment.track, table.unpack({}, 1, 1000)))
