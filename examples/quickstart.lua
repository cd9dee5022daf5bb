--[[
Signs up three customers in Segment: identifies each, tracks the event "Signed Up", and goes on when one
of them is refused. Needs a write key and nothing else.

Run:

    kosmo integrations:lua examples/quickstart.lua --emulator

Output:

    user-42: signed up
    user-43: signed up
    skipped No One: userId must not be empty (for example userId = "user-42")
    {
      "signed_up": 2,
      "skipped": 1
    }
]]

local segment = app.integrations.segment

local customers = {
  { id = "user-42", name = "Jane Doe", email = "jane@example.com", plan = "pro" },
  { id = "user-43", name = "Sam Roe", email = "sam@example.com", plan = "free" },
  { id = "", name = "No One" },
}

local function sign_up(customer)
  segment.identify_user({
    userId = customer.id,
    traits = { name = customer.name, email = customer.email, plan = customer.plan },
  })
  segment.track_event({
    event = "Signed Up",
    userId = customer.id,
    properties = { plan = customer.plan },
  })
end

local signed_up, skipped = 0, 0
for _, customer in ipairs(customers) do
  local ok, err = pcall(sign_up, customer)
  if ok then
    signed_up = signed_up + 1
    print(customer.id .. ": signed up")
  elseif err.code == "invalid_arguments" then
    skipped = skipped + 1
    print("skipped " .. customer.name .. ": " .. err.details.problems[1])
  else
    error(err) -- anything else concerns all of them: end the run with it
  end
end

return { signed_up = signed_up, skipped = skipped }
