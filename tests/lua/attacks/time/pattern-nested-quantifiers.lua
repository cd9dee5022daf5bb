-- Four quantifiers over fifty thousand letters.
-- error: cpu_limit
-- needs: process
return (("a"):rep(50000)):match(".*.*.*x")
