--[[
Lists the sources of the workspace that need a look: disabled ones, ones without a name of their own, and ones
whose write keys the token may not see. Reads only, so it needs an API token and no approval.

Run:

    kosmo integrations:lua examples/audit_sources.lua --emulator

Output:

    My Workspace: 3 sources
    billing: has no name
    warehouse: is disabled, shows no write key
]]

local segment = app.integrations.segment

local workspace = segment.get_current_user()
local sources = segment.list_sources({ slug = workspace.slug }).sources
print(workspace.name .. ": " .. #sources .. " sources")

for _, source in ipairs(sources) do
  local findings = {}
  if not source.enabled then
    findings[#findings + 1] = "is disabled"
  end
  if source.name == source.slug then
    findings[#findings + 1] = "has no name"
  end
  if not source.write_key then
    findings[#findings + 1] = "shows no write key"
  end
  if #findings > 0 then
    print(source.slug .. ": " .. table.concat(findings, ", "))
  end
end
