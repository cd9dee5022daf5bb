-- A namespace is indexed by what is no name.
-- result: ["app.integrations.segment.1", "app.integrations.segment.{}", "app.integrations.segment.true", "app.integrations.segment.1.5"]
local segment = app.integrations.segment
return {tostring(segment[1]), tostring(segment[{}]), tostring(segment[true]), tostring(segment[1.5])}
