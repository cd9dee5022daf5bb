-- Bytecode can crash the interpreter.
-- result: null
return string.dump
