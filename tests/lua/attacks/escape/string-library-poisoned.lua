-- The host uses copies of its own: a script breaks only itself.
-- result: "{\"b\":[2]}"
for name in pairs(string) do string[name] = error end
for name in pairs(table) do table[name] = error end
pairs, ipairs, next, type, tostring, pcall, error = nil
dump({a = 1})
return json.encode({b = {2}})
