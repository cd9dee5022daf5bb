-- print shows values itself.
-- result: true
tostring = function() error("called") end
print({1}, print, nil)
return true
