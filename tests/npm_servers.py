"""The reference servers of the protocol, from npm, through our client: `make test-mcp`. Needs Node and npm.

They are installed below .venv, and are no part of `make test`.
Source: https://github.com/modelcontextprotocol/servers
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from kosmo_lua.errors import KosmoError
from kosmo_lua.mcp.connections import Connection, Connections
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.values import Json

VERSION = "2026.8.31"
NAMES = ("everything", "filesystem", "memory")
FOLDER = ROOT / ".venv" / "mcp-servers" / VERSION

Connect = Callable[..., Connection]


@pytest.fixture(scope="module")
def programs() -> Path:
    """Install the servers, once."""
    programs = FOLDER / "node_modules" / ".bin"
    if not all((programs / f"mcp-server-{name}").exists() for name in NAMES):
        FOLDER.mkdir(parents=True, exist_ok=True)
        packages = [f"@modelcontextprotocol/server-{name}@{VERSION}" for name in NAMES]
        quiet = ["--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
        npm = ["npm", "install", *quiet, "--prefix", str(FOLDER), *packages]
        subprocess.run(npm, check=True, timeout=300)  # noqa: S603  # names and versions from above
    return programs


@pytest.fixture
def connect(programs: Path, tmp_path: Path) -> Iterator[Connect]:
    """Connect to a server by its name; afterwards all of its processes are gone."""
    told: list[tuple[int | None, bool]] = []
    connections = Connections(lambda group, started: told.append((group, started)))

    def connect(name: str, *arguments: str, **env: str) -> Connection:
        endpoint = Endpoint(
            name=name,
            command=(str(programs / f"mcp-server-{name}"), *arguments),
            env={"PATH": os.environ["PATH"], **env},
            cwd=str(tmp_path),
        )
        return connections.to(lambda: endpoint, name)

    yield connect
    connections.close()
    groups = [group for group, started in told if started and group]
    assert sorted(group for group, started in told if group and not started) == sorted(groups)
    for group in groups:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)


def call(connection: Connection, tool: str, **arguments: Json) -> Json:
    """Call a tool."""
    return connection.call_tool(tool, arguments, lambda: None)


def kinds(blocks: Any) -> list[str]:
    """Return the types of the blocks of an answer."""
    return [block["type"] for block in blocks]


def test_everything(connect: Connect) -> None:
    """It has a tool for each kind of content."""
    server = connect("everything")
    tools = {str(tool["name"]): tool for tool in server.tools()}
    assert {"echo", "get-sum", "get-structured-content", "get-tiny-image"} <= set(tools)
    assert server.title == "Everything Reference Server"
    assert server.instructions
    assert call(server, "echo", message="hi") == "Echo: hi"
    assert call(server, "get-sum", a=1, b=2) == "The sum of 1 and 2 is 3."
    weather = call(server, "get-structured-content", location="New York")
    assert isinstance(weather, dict)
    assert set(weather) == {"temperature", "conditions", "humidity"}
    assert kinds(call(server, "get-tiny-image")) == ["text", "image", "text"]
    links = call(server, "get-resource-links", count=2)
    assert kinds(links) == ["text", "resource_link", "resource_link"]
    with pytest.raises(KosmoError) as caught:
        call(server, "get-sum", a="x")
    assert (caught.value.code, caught.value.effect) == ("service_error", "sent")


def test_everything_reports_progress(connect: Connect) -> None:
    """While an operation runs."""
    told: list[tuple[float, float | None]] = []
    connect("everything").call_tool(
        "trigger-long-running-operation",
        {"duration": 1, "steps": 2},
        lambda: None,
        lambda done, total, _message: told.append((done, total)),
    )
    assert told == [(1.0, 2.0), (2.0, 2.0)]


def test_everything_has_resources_and_prompts(connect: Connect) -> None:
    """Resources, templates and a prompt with arguments."""
    server = connect("everything")
    assert any("uriTemplate" in resource for resource in server.resources())
    uri = "demo://resource/dynamic/text/1"
    [contents] = server.read_resource(uri)
    assert (contents["uri"], contents["mime_type"]) == (uri, "text/plain")
    assert "args-prompt" in [prompt["name"] for prompt in server.prompts()]
    words = {"type": "text", "text": "What's weather in Bonn?"}
    assert server.get_prompt("args-prompt", {"city": "Bonn"}) == {
        "description": None,
        "messages": [{"role": "user", "content": words}],
    }


def test_filesystem(connect: Connect, tmp_path: Path) -> None:
    """It reads and writes below the folder that it was given, and nowhere else."""
    (tmp_path / "a.txt").write_text("hello\n", encoding="utf-8")
    server = connect("filesystem", str(tmp_path))
    hints = {tool["name"]: tool.get("annotations") for tool in server.tools()}
    assert hints["read_text_file"]["readOnlyHint"] is True  # type: ignore[call-overload,index]  # an object
    written = call(server, "write_file", path=str(tmp_path / "b.txt"), content="x" * 1_000_000)
    assert written == {"content": f"Successfully wrote to {tmp_path / 'b.txt'}"}
    read = call(server, "read_text_file", path=str(tmp_path / "b.txt"))
    assert read == {"content": "x" * 1_000_000}
    with pytest.raises(KosmoError) as caught:
        call(server, "read_text_file", path="/etc/passwd")
    assert caught.value.message.startswith(
        "the MCP server filesystem answered with an error: Access denied"
    )
    assert (server.resources(), server.prompts()) == ([], [])


def test_memory(connect: Connect, tmp_path: Path) -> None:
    """What was created is in the graph."""
    server = connect("memory", MEMORY_FILE_PATH=str(tmp_path / "memory.json"))
    momo: Json = {"name": "Momo", "entityType": "book", "observations": ["1973"]}
    assert call(server, "create_entities", entities=[momo]) == {"entities": [momo]}
    assert call(server, "read_graph") == {"entities": [momo], "relations": []}
