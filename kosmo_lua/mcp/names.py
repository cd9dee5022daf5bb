"""Names of tools as Lua can write them."""

import re
from collections import Counter
from collections.abc import Iterable

from kosmo_lua.lua_source import KEYWORDS

MORE = ("default",)
"""What a name below a namespace may not be, because it is the account of that name."""


def lua_names(names: Iterable[str]) -> dict[str, str]:
    """Return the Lua name of each name; of two with the same one, the second gets `_2`.

    A name that needs no change keeps it.
    """
    own: dict[str, str] = {}
    taken, numbers = set[str](), Counter[str]()
    for name in sorted(dict.fromkeys(names), key=lambda name: lua_name(name) != name):
        wanted = chosen = lua_name(name)
        while chosen.lower() in taken:
            numbers[wanted] += 1
            chosen = f"{wanted}_{numbers[wanted] + 1}"
        taken.add(chosen.lower())
        own[name] = chosen
    return own


def lua_name(name: str) -> str:
    """Return a name that Lua takes after a dot: `create-issue` as create_issue, `end` as end_."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
    if plain[0].isdigit():
        plain = f"_{plain}"
    return f"{plain}_" if plain in KEYWORDS or plain in MORE else plain
