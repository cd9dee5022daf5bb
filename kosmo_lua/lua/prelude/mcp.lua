-- The table `mcp`: MCP servers by their names as texts. Each function that contacts a server is a call like any other.

local kit = ...
local call, help, failure = kit.bridge.call, kit.bridge.help, kit.failure
local gsub, next, type = kit.string.gsub, kit.next, kit.type

local mcp = {}

local function path(name, value, what)
  if type(value) ~= "string" then
    failure.fail(name .. ": " .. what .. " must be a string, got a " .. type(value))
  end
  local below_app = gsub(value, "^app%.", "")
  local name_alone = gsub(below_app, "^mcp%.", "")
  return "mcp." .. name_alone
end

local function request(name, server, method, given)
  return call(path(name, server, "the server") .. "." .. method, given)
end

function mcp.call(tool, ...)
  return call(path("mcp.call", tool, "the tool"), ...)
end

function mcp.resources(server)
  return request("mcp.resources", server, "resources/list", {})
end

function mcp.read_resource(server, uri)
  return request("mcp.read_resource", server, "resources/read", { uri = uri })
end

function mcp.prompts(server)
  return request("mcp.prompts", server, "prompts/list", {})
end

function mcp.get_prompt(server, name, arguments)
  return request("mcp.get_prompt", server, "prompts/get", { name = name, arguments = arguments })
end

for _, name in next, { "servers", "tools", "schema" } do
  mcp[name] = function(...)
    return help("mcp." .. name, ...)
  end
end

return mcp
