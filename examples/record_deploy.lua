--[[
Records a deployment as an event in PostHog, so that charts show what changed when. The last step of a release:
the first argument is the version, the second the environment. Needs the project API key and nothing else.

Run:

    kosmo integrations:lua examples/record_deploy.lua --emulator -- 1.4.0 production

Output:

    recorded: 1.4.0 to production
]]

local version = assert(arg[1], "which version? -- 1.4.0 production")
local environment = arg[2] or "staging"

app.integrations.posthog.capture_event({
  event = "deployed",
  distinct_id = "release-bot",
  properties = { version = version, environment = environment },
})

print("recorded: " .. version .. " to " .. environment)
