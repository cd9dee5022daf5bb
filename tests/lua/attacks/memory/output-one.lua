-- One line that is larger than the whole output.
-- error: output_limit
-- limits: output=1000
print(("x"):rep(1001))
