"""The clock of a script's process: Lua's time counts, and that of its calls does not, on whatever thread."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished

SOURCE = '''
import time

from kosmo_lua.integration import Api, Credentials, Integration, JsonObject

busy = Integration(
    "busy", title="Busy", summary="Computes.", credentials=Credentials, api=Api[Credentials]
)


@busy.read()
def compute(api: Api[Credentials]) -> JsonObject:
    """Compute for a while.

    Returns: how long, in seconds of CPU.
    """
    end = time.thread_time() + 0.25
    while time.thread_time() < end:
        pass
    return {"seconds": 0.25}


@busy.read()
def large(api: Api[Credentials]) -> JsonObject:
    """Return much.

    Returns: a list of lists.
    """
    return {"rows": [[number, str(number)] for number in range(20_000)]}
'''


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install an integration that uses the CPU."""
    (tmp_path / "busy.py").write_text(SOURCE, encoding="utf-8")
    info = tmp_path / "busy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: busy\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[kosmo.integrations]\nbusy = busy:busy\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


COMPUTE = "app.integrations.busy.compute()"
LOOP = "local x = 0 while true do x = x + 1 end"


def cpu_seconds(kosmo: Callable[..., Finished], *arguments: str) -> tuple[Finished, float]:
    """Run a command, and return the CPU time that it has used with all its processes."""
    before = os.times()
    done = kosmo("integrations:lua", "--json", *arguments)
    after = os.times()
    used = after.children_user + after.children_system
    return done, used - before.children_user - before.children_system


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    "code",
    [
        f"for i = 1, 5 do {COMPUTE} end",
        f"parallel.map({{1, 2, 3, 4, 5}}, function() {COMPUTE} end)",
        f"parallel.all({{a = function() {COMPUTE} end, b = function() for i = 1, 4 do {COMPUTE} end end}})",
    ],
)
def test_the_cpu_of_calls_is_not_charged(code: str, kosmo: Callable[..., Finished]) -> None:
    """The card: the limit is one of Lua's time; these calls take twice of it, and Lua nearly nothing."""
    done, used = cpu_seconds(kosmo, "--cpu-limit", "0.6", "--eval", code)
    assert done.json()["error"] is None
    assert used > 1.25


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    "code",
    [
        LOOP,
        f"{COMPUTE} {LOOP}",
        f"parallel.map({{1, 2}}, function() {COMPUTE} {LOOP} end)",
        f"parallel.map({{1, 2}}, function(i) if i == 1 then {COMPUTE} else {LOOP} end end)",
    ],
)
def test_a_loop_is_stopped_in_time_all_the_same(code: str, kosmo: Callable[..., Finished]) -> None:
    """The card: after the limit of Lua's CPU time, and not much later."""
    done, used = cpu_seconds(kosmo, "--cpu-limit", "0.5", "--eval", code)
    assert done.json()["error_info"]["code"] == "cpu_limit"
    assert done.status == 124
    assert used < 4


@pytest.mark.usefixtures("busy")
def test_large_answers_of_several_calls_are_not_charged(kosmo: Callable[..., Finished]) -> None:
    """The card: to make and to convert them is the host's work, but for the table that Lua makes."""
    code = "parallel.map({1, 2, 3, 4}, function() app.integrations.busy.large() end)"
    done, _ = cpu_seconds(kosmo, "--cpu-limit", "1", "--eval", code)
    assert done.json()["error"] is None
