-- An error table is made, placed and shown with a full stack.
-- result: "survived"
local function f()
  local ok, problem = pcall(app.nothing)
  local text = tostring(problem)
  return (("x"):gsub("x", f))
end
pcall(f)
return "survived"
