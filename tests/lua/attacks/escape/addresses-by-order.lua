-- A table shows its keys sorted, those without an order by the name of their type.
-- result: "{\n  function: 1,\n  table: 2,\n  thread: 3\n}"
return tostring({[{}] = 2, [coroutine.create(print)] = 3, [print] = 1})
