-- %b scans to the end from each place.
-- error: cpu_limit
-- needs: process
return (("("):rep(1e6)):find("%b()")
