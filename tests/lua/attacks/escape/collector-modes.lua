-- Every option of the collector.
-- result: [false, false, false, false, false, false, false]
local refused = {}
local options = {"stop", "restart", "incremental", "generational", "setpause", "setstepmul", "isrunning"}
for index, option in ipairs(options) do
  refused[index] = (pcall(collectgarbage, option, 1, 1, 1))
end
return refused
