-- What JSON cannot hold is named, not dropped.
-- result: ["function", "nan", "inf"]
return {print, 0/0, 1/0}
