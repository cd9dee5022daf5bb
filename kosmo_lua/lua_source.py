"""Lua as source text: names, and values as a script writes them."""

from kosmo_lua.values import Json

KEYWORDS = frozenset(
    {
        *("and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if"),
        *("in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"),
    }
)
"""What is no name of Lua 5.4: https://www.lua.org/manual/5.4/manual.html#3.1"""


def is_lua_name(text: str) -> bool:
    """Whether Lua takes a text as a name: after a dot, or before `=` in a table."""
    return text.isidentifier() and text.isascii() and text not in KEYWORDS


def lua_literal(value: Json) -> str:
    """Write a JSON value as Lua source: `{plan = "pro"}`."""
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return "{" + ", ".join(lua_literal(item) for item in value) + "}"
    fields = (f"{_key(key)} = {lua_literal(item)}" for key, item in value.items())
    return "{" + ", ".join(fields) + "}"


def _key(key: str) -> str:
    return key if is_lua_name(key) else f"[{_text(key)}]"


def _text(text: str) -> str:
    """Write a text so that it is one text of Lua, whatever is in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    shown = (c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in escaped)
    return f'"{"".join(shown)}"'
