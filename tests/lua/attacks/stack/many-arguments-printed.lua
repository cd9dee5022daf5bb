-- print takes as many as the stack holds, and in the time of one after the other.
-- result: 100000
-- limits: cpu=2
print(table.unpack({}, 1, 100000))
return 100000
