"""The MCP server tests/mcp_servers/library.py, served for the tests, and the user's file that names it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SERVERS = Path(__file__).parent / "mcp_servers"


@dataclass(frozen=True)
class Library:
    """A library over HTTP, which notes what has happened to it."""

    url: str
    file: Path

    @property
    def notes(self) -> list[str]:
        """What was noted in this test."""
        return self.file.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="session")
def served_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Serve a library to all tests of this process."""
    notes = tmp_path_factory.mktemp("library") / "notes"
    notes.touch()
    command = [sys.executable, str(SERVERS / "library.py"), "--http"]
    environment = {"PATH": os.environ["PATH"], "NOTES": str(notes)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:  # noqa: S603  # our own
        assert process.stdout
        yield Library(f"http://127.0.0.1:{int(process.stdout.readline())}/mcp", notes)
        process.kill()


@pytest.fixture
def library(served_library: Library, home: Path) -> Library:
    """Let the user's own file name the library, and nothing else."""
    define(home / "mcp.json", library={"url": served_library.url})
    served_library.file.write_text("", encoding="utf-8")
    return served_library


def program(name: str, *arguments: str, **env: str) -> dict[str, Any]:
    """Return the entry of a server that is a program."""
    command = [str(SERVERS / f"{name}.py"), *arguments]
    return {"command": sys.executable, "args": command, "env": env}


def define(file: Path, **servers: dict[str, Any]) -> None:
    """Write a file that defines MCP servers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
