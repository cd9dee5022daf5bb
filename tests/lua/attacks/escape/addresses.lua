-- An address helps whoever attacks the process.
-- result: ["function", "{}", "thread"]
return {tostring(print), tostring({}), tostring(coroutine.create(print))}
