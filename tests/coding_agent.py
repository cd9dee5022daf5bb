"""A coding agent: the client of the official SDK, and the gateways that it talks to."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool

from kosmo_lua import Kosmo
from kosmo_lua.emulator import Emulator

COMMAND = (sys.executable, "-m", "kosmo_lua")


class Agent:
    """A connected client; its calls may be made from any thread."""

    def __init__(self, client: Client, portal: BlockingPortal) -> None:
        self.client = client
        self._portal = portal

    def tools(self) -> dict[str, Tool]:
        """List the tools."""
        return {tool.name: tool for tool in self._portal.call(self.client.list_tools).tools}

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool, and wait for its result."""
        result: CallToolResult = self.start(tool, **arguments).result(timeout=30)
        return result

    def start(self, tool: str, **arguments: Any) -> Future[Any]:
        """Call a tool; to cancel the future cancels the request."""
        return self._portal.start_task_soon(self.client.call_tool, tool, arguments)


def text_of(result: CallToolResult) -> str:
    """Return the text of a result, which is all of its content."""
    assert [block.type for block in result.content] == ["text"]
    return str(getattr(result.content[0], "text", None))


@contextmanager
def connected(server: Any, mode: str = "auto") -> Iterator[Agent]:
    """Connect a client to a server, as the SDK takes one."""
    with start_blocking_portal() as portal:
        client = Client(server, mode=mode)
        with portal.wrap_async_context_manager(client):
            yield Agent(client, portal)


def stdio(*options: str, env: dict[str, str]) -> StdioServerParameters:
    """Return what starts a gateway on stdio."""
    arguments = [*COMMAND[1:], "mcp:serve", *options]
    return StdioServerParameters(command=COMMAND[0], args=arguments, env=env)


@contextmanager
def over_http(url: str, token: str, mode: str = "auto") -> Iterator[Agent]:
    """Connect a client to a gateway over HTTP."""
    headers = {"Authorization": f"Bearer {token}"}
    with start_blocking_portal() as portal, ExitStack() as stack:
        http = stack.enter_context(
            portal.wrap_async_context_manager(httpx2.AsyncClient(headers=headers, timeout=30))
        )
        client = Client(streamable_http_client(url, http_client=http), mode=mode)
        stack.enter_context(portal.wrap_async_context_manager(client))
        yield Agent(client, portal)


@contextmanager
def http_gateway(*options: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a gateway on HTTP; the first document on its stdout says where it is."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [*COMMAND, "mcp:serve", "--http", "--port", "0", "--json", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def alive(pids: set[int]) -> set[int]:
    """Return those of the processes that run; one that only waits to be reaped does not."""

    def state(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        except OSError:
            return "X"

    return {pid for pid in pids if state(pid) not in "XZ"}


@pytest.fixture(scope="module")
def services() -> Iterator[Emulator]:
    """The emulated services that the gateways of a module call as if they were real ones."""
    with Kosmo(environ={}, emulator=True) as kosmo:
        kosmo.emulator.start()
        yield kosmo.emulator


@pytest.fixture(scope="module")
def gateway_environ(
    services: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The environment of a gateway: accounts of the emulated services, and a policy that asks for writes."""
    home = tmp_path_factory.mktemp("home")
    home.joinpath("config.toml").write_text(
        '[policy]\n"segment.identify_user" = "deny"\n"segment@work.get_current_user" = "ask"\n'
    )
    with Kosmo(environ={}, emulator=services) as kosmo:
        accounts = {
            name: value
            for name, value in kosmo.emulator_environ.items()
            if not name.endswith("_WRITE")
        }
    work = {
        name.replace("_SEGMENT_", "_SEGMENT__WORK__"): value
        for name, value in accounts.items()
        if "_SEGMENT_" in name
    }
    return {
        **accounts,
        **work,
        "KOSMO_HOME": str(home),
        "KOSMO_RETRY_BUDGET": "0",
    }


@pytest.fixture
def descendants() -> Callable[[int], set[int]]:
    """Return the processes that a process has started, and those that they have."""

    def descendants(pid: int) -> set[int]:
        found = set[int]()
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, tasks.read_text().split()):
                found |= {child} | descendants(child)
        return found

    return descendants
