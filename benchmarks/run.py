"""Measures kosmo as ratios against a peer in the same run, and prints one table: `make bench`.

Each pair of commands runs in turn (A B A B ...), so that a drift of the machine's speed reaches both; the
figure is the median of the ratios pair by pair. A ratio is good to about 0.05 on a quiet machine.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bridge import bridge
from limits import limits
from measure import Row, compare

from kosmo_lua import Kosmo

if TYPE_CHECKING:
    import httpx

PYTHON = sys.executable


def main() -> int:
    """Print the table; the exit status is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=25, help="pairs of runs (default 25)")
    pairs = parser.parse_args().pairs
    print(f"{'what':34} {'peer':44} {'ratio':>6} {'target':>7} {'median':>10}")
    missed = False
    for row in rows(pairs):
        missed |= row.ratio > row.target
        mark = "" if row.ratio <= row.target else "  missed"
        figures = f"{row.ratio:6.2f} {row.target:7.2f} {row.milliseconds:7.1f} ms{mark}"
        print(f"{row.name:34} {row.peer:44} {figures}", flush=True)
    return int(missed)


def rows(pairs: int) -> Iterator[Row]:
    """Measure what users wait for."""
    peer = [PYTHON, "-c", "import click, lupa.lua54"]
    kosmo = str(Path(PYTHON).with_name("kosmo"))
    start = _command([kosmo, "integrations:lua", "--eval", "return 1", "--json"])
    yield compare("start-up", "import click, lupa.lua54", start, _command(peer), 1.3, pairs)
    yield from _lua(max(pairs // 5, 3))
    yield from limits(pairs)
    yield from bridge(max(pairs // 5, 3))
    yield from _calls(max(pairs // 5, 3))


LOOPS = {
    "table.insert": "local t = {} for i = 1, 2e6 do table.insert(t, i) if i % 1000 == 0 then t = {} end end",
    "string.rep": "for i = 1, 2e6 do local s = string.rep('ab', 10) end",
    "pcall": "local function f(a) return a end for i = 1, 2e6 do pcall(f, i) end",
    "fib": "local function f(n) if n < 2 then return n end return f(n-1) + f(n-2) end return f(32)",
    "string building": "local t = {} for i = 1, 2e5 do t[#t+1] = i .. ':' end return #table.concat(t)",
    "table.sort": "local t = {} for i = 1, 3e5 do t[i] = (i * 7919) % 100003 end table.sort(t)",
}


def _lua(pairs: int) -> Iterator[Row]:
    """Compare Lua in the sandbox with plain lupa."""
    from lupa import lua54  # noqa: PLC0415  # as the peer only

    kosmo = Kosmo(environ={})
    for name, code in LOOPS.items():

        def ours(code: str = code) -> None:
            _succeed(kosmo.run(code).success)

        def plain(code: str = code) -> None:
            lua54.LuaRuntime().execute(code)

        target = 1.25 if name in ("table.insert", "string.rep", "pcall") else 1.10
        yield compare(f"Lua: {name}", "plain lupa", ours, plain, target, pairs)


CALLS = 100


def _calls(pairs: int) -> Iterator[Row]:
    """Compare calls from Lua with the same requests of plain httpx, all to the emulator."""
    import httpx  # noqa: PLC0415  # as the peer only

    with Kosmo(environ={}, emulator=True) as kosmo, httpx.Client() as client:
        kosmo.emulator.start()
        url, auth = kosmo.emulator.url, ("emulator-write-key", "")
        _seed_persons(client, url)
        event = {"event": "Signed Up", "userId": "user-42"}
        token = {"Authorization": "Bearer phx_emulator"}

        def loop(call: str) -> Callable[[], None]:
            code = f"for i = 1, {CALLS} do {call} end"
            return lambda: _succeed(kosmo.run(code).success)

        def tracks() -> None:
            for _ in range(CALLS):
                client.post(f"{url}/v1/track", json=event, auth=auth).raise_for_status()

        def pages() -> None:
            for _ in range(CALLS):
                found = client.get(
                    f"{url}/api/projects/1/persons/?limit={ROWS}", headers=token
                ).json()
                _succeed(len(found["results"]) == ROWS)

        track = 'app.integrations.segment.track{event = "Signed Up", userId = "user-42"}'
        page = (
            f"assert(#app.integrations.posthog.list_persons{{limit = {ROWS}}}.results == {ROWS})"
        )
        yield compare(f"{CALLS} calls", "httpx", loop(track), tracks, 1.5, pairs)
        yield compare(f"{CALLS} pages of {ROWS} rows", "httpx", loop(page), pages, 3.0, pairs)


ROWS = 100


def _seed_persons(client: "httpx.Client", url: str) -> None:
    for number in range(ROWS):
        body = {
            "api_key": "phc_emulator",
            "event": "$set",
            "distinct_id": f"bench-{number}",
            "properties": {"$set": {"email": f"bench-{number}@example.com", "plan": "pro"}},
        }
        client.post(f"{url}/i/v0/e/", json=body).raise_for_status()


def _succeed(fine: bool) -> None:  # noqa: FBT001  # an assertion that python -O keeps
    if not fine:
        raise RuntimeError("the measured work failed")


def _command(command: list[str]) -> Callable[[], None]:
    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own commands

    return run


if __name__ == "__main__":
    sys.exit(main())
