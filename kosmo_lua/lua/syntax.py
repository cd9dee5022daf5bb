"""Lua's syntax: whether what somebody has typed is a whole statement. Nothing is run."""

from lupa import lua54

LUA_VERSION = ".".join(map(str, lua54.LUA_VERSION))
"""Of the Lua that is in lupa: `5.4`."""


class Syntax:
    """Compiles, in a Lua state of its own."""

    def __init__(self) -> None:
        self._lua = lua54.LuaRuntime(register_eval=False, register_builtins=False)

    def is_complete(self, code: str) -> bool:
        """Whether the code is whole, or so wrong that more lines would not mend it."""
        problems = [self._problem(code), self._problem(f"return {code}")]
        return None in problems or not any(str(each).endswith("near <eof>") for each in problems)

    def _problem(self, code: str) -> str | None:
        try:
            self._lua.compile(code.encode("utf-8", "replace"), mode="t")
        except lua54.LuaSyntaxError as error:
            return str(error)
        return None
