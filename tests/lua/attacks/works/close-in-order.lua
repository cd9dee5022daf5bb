-- What is to be closed is closed at the end of its block.
-- result: ["body", "second", "first"]
local seen = {}
local function closing(name) return setmetatable({}, {__close = function() seen[#seen + 1] = name end}) end
do
  local a <close> = closing("first")
  local b <close> = closing("second")
  seen[1] = "body"
end
return seen
