"""What a user waits for before anything happens: start-up, and one event in a fresh process."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import Case, Figure, Subject, compare, paired
from programs import lua, peer, run
from service import sink

IMPORTS = [sys.executable, "-c", "import click, lupa.lua54"]

TRACK = """app.integrations.segment.track{
  event = "Signed Up", userId = "user-1", properties = {plan = "pro", n = 1}}"""
CAPTURE = """app.integrations.posthog.capture_event{
  event = "Signed Up", distinct_id = "user-1", properties = {plan = "pro", n = 1}}"""


def _start(pairs: int) -> Figure:
    return compare(lambda: run(lua("return 1")), lambda: run(IMPORTS), pairs)


def _servers(pairs: int) -> Figure:
    """Measure a script that touches no server, where three are configured and where none is."""
    with TemporaryDirectory() as folder:
        servers = {name: {"command": "no-such-program"} for name in ("one", "two", "three")}
        Path(folder, "mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
        environ = {**os.environ, "KOSMO_HOME": folder}
        without = {**os.environ, "KOSMO_HOME": f"{folder}/none"}
        command = lua("return 1")
        return compare(lambda: run(command, environ), lambda: run(command, without), pairs)


def _one(code: str, peer_name: str) -> Callable[[int], Figure]:
    ours, theirs = lua(code), peer(peer_name)

    def measure(pairs: int) -> Figure:
        with sink() as service:
            return paired(
                lambda: service.delivered(1, ours).whole,
                lambda: service.delivered(1, theirs).whole,
                pairs,
            )

    return measure


STARTUP = Subject(
    "startup",
    """Whole processes, from start to exit. Start-up is `kosmo integrations:lua --eval 'return 1' --json`
against a Python that imports click and lupa and does nothing. One event is the same against a script of
the vendor's SDK in `sync_mode`; that every event arrived is checked.""",
    [
        Case("start-up", "import click, lupa.lua54", 1.3, _start),
        Case("start-up, three MCP servers", "the same without them", 1.02, _servers),
        Case("one event, Segment", "segment SDK, sync_mode", 1.2, _one(TRACK, "segment_one")),
        Case("one event, PostHog", "posthog SDK, sync_mode", 0.9, _one(CAPTURE, "posthog_one")),
    ],
)
