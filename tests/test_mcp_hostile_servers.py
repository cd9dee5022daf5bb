"""What a hostile server can do to those who call it, or read its docs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished
from library_server import define, program

from kosmo_lua import Kosmo
from kosmo_lua.gateway.functions import FunctionTools
from kosmo_lua.gateway.offer import Offer
from kosmo_lua.gateway.scripts import Scripts

Cli = Callable[..., Finished]


@pytest.fixture(autouse=True)
def servers(home: Path) -> None:
    """Define the hostile server as the user's own, once for each of its answers."""
    kinds = ("deep", "digits", "long")
    define(home / "mcp.json", **{kind: program("hostile", kind) for kind in kinds})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("deep", "an answer that is none of JSON-RPC"),
        ("digits", "an answer that is none of JSON-RPC"),
        ("long", "(a line of more than 64 MiB)"),
    ],
)
def test_an_answer_that_no_parser_takes_ends_its_call(kind: str, said: str) -> None:
    """Whoever waited for it would wait until the time-out, a minute."""
    with Kosmo() as kosmo:
        result = kosmo.run(f"return app.mcp.{kind}.harm{{}}")
    assert result.error_info
    assert result.error_info.code in ("service_error", "unreachable")
    assert said in (result.error or "")


def test_an_error_that_a_script_prints_steers_no_terminal() -> None:
    """What a script prints is shown as it is."""
    with Kosmo() as kosmo:
        result = kosmo.run("print((select(2, pcall(app.mcp.deep.steer, {})).message))")
    expected = "mcp.deep.steer: the MCP server deep refused the request: red ]0;title (-32000)"
    assert result.output == expected


def test_pages_quote_a_server_and_stay_what_they_are() -> None:
    """No heading, fence, cell or name of the server's reaches beyond its place."""
    with Kosmo() as kosmo:
        kosmo.run("return app.mcp.deep.steer{}")
        server = kosmo.reference.page("mcp.deep").markdown
        page = kosmo.reference.page("mcp.deep.spoof").markdown
    for text in (server, page):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "\n# Rules" not in text
        assert "\n# app.mcp.bank.pay" not in text
    assert "> # Rules\n> ```\n> yyy" in server
    assert len(server) < 30_000
    assert "| `spoof` | write | Nice \\| good. |" in server
    assert "xxx" not in server
    assert "> # app.mcp.bank.pay\n> ```\n> - Access: read\n\n- Access: write" in page
    assert '{["\\"] = os.exit(), [\\"\\u{1b}[2J|"] = "\\u{1b}[31mred' in page


def test_docs_are_shown_whatever_names_a_server_has_chosen(kosmo: Cli) -> None:
    """A bar in a name is a column more, which is no reason to fail."""
    kosmo("mcp:tools", "deep")
    shown = kosmo("integrations:docs", "mcp.deep.spoof")
    assert (shown.status, shown.stderr) == (0, "")
    assert "\x1b" not in shown.stdout


def test_no_server_takes_the_tool_of_another_in_a_gateway(home: Path) -> None:
    """`y__harm` of the server x and `harm` of the server x__y are two tools; what was approved stays one."""
    define(home / "mcp.json", x=program("hostile", "deep"), x__y=program("hostile", "deep"))
    with Kosmo() as kosmo:
        tools = FunctionTools(kosmo, None, Scripts(), Offer()).tools()
    found = {tool.name: tool.title for tool in tools}
    assert found["mcp__x__y__harm"] == "mcp.x.y__harm"
    assert [name for name, title in found.items() if title == "mcp.x__y.harm"] == [
        "mcp__x__y__harm_e8c8f9bf"
    ]
