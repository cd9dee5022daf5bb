-- An array is as long as it says, and not longer than twice its elements.
-- result: "{\"1\":1,\"1000000000\":2}"
return json.encode({[1] = 1, [1000000000] = 2}, {sort = true})
