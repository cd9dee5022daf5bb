-- A replacement that is no text.
-- result: [false, false]
return (pcall(string.gsub, "x", "x", function() return {} end)), (pcall(string.gsub, "x", "x", "%9"))
