-- Characters are counted and made.
-- result: [2, "é"]
return {utf8.len("é😀"), utf8.char(233)}
