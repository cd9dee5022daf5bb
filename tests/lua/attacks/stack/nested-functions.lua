-- The compiler recurses for functions.
-- result: null
return (load(("return function() "):rep(1e4) .. ("end "):rep(1e4)))
