-- In printed text, too.
-- result: true
print("a\0b\nc\xff\27[2J")
return true
