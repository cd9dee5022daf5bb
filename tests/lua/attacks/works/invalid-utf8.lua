-- Bytes that are no text.
-- result: "a�b"
return "a\xffb"
