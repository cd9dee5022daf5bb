-- A length that reaches beyond the text.
-- result: [false, false, false]
return (pcall(string.unpack, "s8", ("\xff"):rep(8))), (pcall(string.unpack, "c100", "x")),
  (pcall(string.unpack, "i16", "x", 2))
