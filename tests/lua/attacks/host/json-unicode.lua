-- Characters beyond the first plane, escaped.
-- result: "é😀"
return json.decode('"\\u00e9\\ud83d\\ude00"')
