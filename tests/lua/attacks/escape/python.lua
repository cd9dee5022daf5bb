-- lupa's door to Python.
-- result: null
return python
