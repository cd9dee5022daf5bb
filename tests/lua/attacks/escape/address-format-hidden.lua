-- %p with flags, in the middle, after a percent sign.
-- result: [false, false, false, false, false]
return (pcall(string.format, "%%%p", {})), (pcall(string.format, "%d%-5p", 1, {})),
  (pcall(string.format, "% p", {})),
  (pcall(string.format, "%#.20p", {})), (pcall(string.format, "%5%%p", {}))
