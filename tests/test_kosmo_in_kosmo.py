"""kosmo as the MCP server of kosmo: both ends are ours, and the protocol between them is the SDK's."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from library_server import define

from kosmo_lua import Kosmo, Result
from kosmo_lua.config import Config

OUTER = """
local inner = app.mcp.kosmo
local found = inner.search_docs{query = "list persons"}
local read = inner.run_read{code = "return app.integrations.segment.get_current_user().slug"}
local refused = inner.run_read{code = [[
  local ok, err = pcall(app.integrations.segment.track, {event = "E", userId = "u"})
  return {ok = ok, code = err.code}
]]}
local written = inner.run_write{code = [[app.integrations.segment.track{event = "E", userId = "u"}]]}
return {
  found = json.encode(found):find("each_person", 1, true) ~= nil,
  read = read.result,
  refused = refused.result,
  written = written.call_log[1].effect,
}
"""


@pytest.fixture
def nested(home: Path) -> Kosmo:
    """Return a Kosmo whose one MCP server is kosmo on the emulator."""
    command = [sys.executable, "-m", "kosmo_lua", "mcp:serve", "--emulator"]
    define(home / "mcp.json", kosmo={"command": command[0], "args": command[1:]})
    return Kosmo(config=Config.of(os.environ), force=True)


def test_a_script_drives_the_gateway(nested: Kosmo) -> None:
    """The card: docs, reads, a write that is refused where only reads may run, and one that is not."""
    with nested as kosmo:
        result: Result = kosmo.run(OUTER)
    expected: dict[str, Any] = {
        "found": True,
        "read": "my-workspace",
        "refused": {"ok": False, "code": "denied"},
        "written": "sent",
    }
    assert (result.error, result.result) == (None, expected)
    access = {call.function: call.access for call in result.call_log}
    assert access == {
        "mcp.kosmo.search_docs": "read",
        "mcp.kosmo.run_read": "read",
        "mcp.kosmo.run_write": "write",
    }


def test_an_error_inside_is_one_outside(nested: Kosmo) -> None:
    """The card: with the words of the inner script, and its line."""
    with nested as kosmo:
        result = kosmo.run("app.mcp.kosmo.run_read{code = \"\\n\\nerror('no')\"}")
    assert result.error_info is not None
    assert (result.error_info.code, result.error_info.effect) == ("service_error", "sent")
    assert "script:3: no" in (result.error or "")
