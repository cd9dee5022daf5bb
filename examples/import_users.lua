--[[
Identifies the users of a JSON text, the first argument of the script: a list of objects with an "id", whose
other fields become traits. A script cannot read files; let the shell do it: -- "$(cat users.json)"

Run:

    kosmo integrations:lua examples/import_users.lua --emulator -- \
      '[{"id": "user-1", "plan": "pro"}, {"id": 2}, {"plan": "free"}, {"id": "user-4", "phone": null}]'

Output:

    user 3 has no id
    3 of 4 users sent
]]

local segment = app.integrations.segment

-- With {null = true} a null stays a null and is sent as one; otherwise it would be nil, and left out.
local users = json.decode(arg[1] or "[]", { null = true })

local sent = 0
for number, user in ipairs(users) do
  if user.id then
    local id = tostring(user.id) -- Segment's ids are strings
    user.id = nil
    segment.identify_user({ userId = id, traits = user })
    sent = sent + 1
  else
    print("user " .. number .. " has no id")
  end
end

print(sent .. " of " .. #users .. " users sent")
