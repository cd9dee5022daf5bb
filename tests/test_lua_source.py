"""Values as Lua source: what the examples in the docs and the hints of errors are made of."""

import pytest

from kosmo_lua import Kosmo
from kosmo_lua.lua_source import KEYWORDS, lua_literal
from kosmo_lua.values import Json


@pytest.mark.parametrize(
    "value",
    [
        dict.fromkeys(KEYWORDS, 1),
        {"plan": "pro", "_x1": 1, "a-b": 2, "1a": 3, "": 4, "é": 5, "a b": 6},
        {"end": {"end": ["end", {"end": True}]}},
        ["", '"', "\\", "\n", "\r\n", "\0", "\x7f", "\u2028", "😀", "]]", "\\u{41}", "--"],
        [True, False, 0, -1, 1.5, 1e300, 5e-324, 2**63 - 1, -(2**63)],
    ],
)
def test_a_literal_is_read_by_lua_as_the_value_that_it_was(value: Json) -> None:
    """Ours: an example that is copied from the docs runs, whatever a tool calls its parameters."""
    with Kosmo(environ={}, isolation="thread") as kosmo:
        run = kosmo.run(f"return {lua_literal(value)}")
    assert (run.error, run.result) == (None, value)
