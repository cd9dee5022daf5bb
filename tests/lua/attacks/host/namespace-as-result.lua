-- Namespaces are tables to a script.
-- result: true
local seen = json.encode({type(app), type(app.integrations)})
return seen == '["table","table"]'
