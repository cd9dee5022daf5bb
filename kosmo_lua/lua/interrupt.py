r"""Ends a script from another thread: a hook that raises an error at the next instruction.

The hook is set through Lua's C API, which lupa's extension exports. `luaL_error` itself serves as the hook:
its format argument is then the hook's event, which begins with the byte 3, so the message ends in "\3".
A hook that is set only now costs a script nothing before; a Lua hook doubles the time of plain loops.
It reaches the main coroutine, not a C function that does not return to the interpreter.
"""

import ctypes

from lupa import lua54

_MASK_COUNT = 1 << 3


def interrupt(state: int) -> None:
    """Let every further instruction of the Lua state at this address raise an error."""
    library = ctypes.CDLL(lua54.__file__)
    hook = ctypes.cast(library.luaL_error, ctypes.c_void_p)
    library.lua_sethook(ctypes.c_void_p(state), hook, _MASK_COUNT, 1)


def release(state: int) -> None:
    """Take the hook away again, once the script has ended."""
    ctypes.CDLL(lua54.__file__).lua_sethook(ctypes.c_void_p(state), None, 0, 0)
