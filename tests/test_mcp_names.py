"""Names of tools as Lua has them."""

from kosmo_lua.mcp.names import lua_names


def test_name_that_needs_no_change_keeps_it_whatever_comes_first() -> None:
    """Ours: a script that calls it by its own name gets no other tool."""
    assert lua_names(["a-b", "a_b", "a.b", "A_B", "end", "3d", "", "default"]) == {
        "a_b": "a_b",
        "A_B": "A_B_2",
        "a-b": "a_b_3",
        "a.b": "a_b_4",
        "end": "end_",
        "3d": "_3d",
        "": "_",
        "default": "default_",
    }


def test_ten_thousand_names_that_are_one_in_lua_are_soon_told_apart() -> None:
    """Ours: looking for a free number from the first on would take half a minute."""
    names = lua_names(chr(0x4E00 + number) for number in range(10_000))
    assert {*names.values()} == {"_", *(f"__{number}" for number in range(2, 10_001))}
