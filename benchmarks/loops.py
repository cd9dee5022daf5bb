"""Lua's own speed in the sandbox, against plain lupa."""

from collections.abc import Callable

from lupa import lua54
from measure import Case, Failed, Figure, Subject, compare, fewer

from kosmo_lua import Kosmo

LOOPS = {
    "table.insert": "local t = {} for i = 1, 2e6 do table.insert(t, i) if i % 1000 == 0 then t = {} end end",
    "string.rep": "for i = 1, 2e6 do local s = string.rep('ab', 10) end",
    "pcall": "local function f(a) return a end for i = 1, 2e6 do pcall(f, i) end",
    "fib": "local function f(n) if n < 2 then return n end return f(n-1) + f(n-2) end return f(32)",
    "string building": "local t = {} for i = 1, 2e5 do t[#t+1] = i .. ':' end return #table.concat(t)",
    "table.sort": "local t = {} for i = 1, 3e5 do t[i] = (i * 7919) % 100003 end table.sort(t)",
}
GUARDED = ("table.insert", "string.rep", "pcall")
"""Functions of Lua's library that the sandbox replaces by its own."""


def _loop(code: str) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        kosmo = Kosmo(environ={})

        def ours() -> None:
            if error := kosmo.run(code).error:
                raise Failed(error)

        return compare(ours, lambda: lua54.LuaRuntime().execute(code), fewer(pairs))

    return measure


LUA = Subject(
    "lua",
    """Loops of pure Lua with all limits on, in a sandbox of their own, against `lupa.lua54` without any.""",
    [
        Case(f"Lua: {name}", "plain lupa", 1.25 if name in GUARDED else 1.10, _loop(code))
        for name, code in LOOPS.items()
    ],
)
