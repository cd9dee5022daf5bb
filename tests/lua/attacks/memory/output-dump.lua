-- dump prints, too.
-- error: output_limit
-- limits: output=1000
while true do dump({1, 2, 3}) end
