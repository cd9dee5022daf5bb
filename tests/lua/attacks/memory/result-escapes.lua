-- A character that JSON writes as six.
-- error: result_limit
-- limits: result=1000000
return ("\1"):rep(2e5)
