-- The compiler walks a list of jumps for each branch, so a long chain takes the square of its length.
-- error: cpu_limit
-- needs: process
return load("if a then " .. ("elseif a then "):rep(1e5) .. "end")
