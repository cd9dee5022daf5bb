-- The compiler recurses for blocks.
-- result: null
return (load(("do "):rep(1e5) .. ("end "):rep(1e5)))
