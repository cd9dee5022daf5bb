-- Coroutines work.
-- result: [1, 4, 9]
local squares = {}
for square in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end) do
  squares[#squares + 1] = square
end
return squares
