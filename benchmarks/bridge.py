"""What it costs that values cross between Lua and the host, against lua-cjson in Debian's lua5.4.

Both sides take the time of the same work in a loop of their own, with Lua's CPU clock; the peer is a process
of its own, as it would be without a sandbox. Without `apt install lua5.4 lua-cjson` its rows are left out.
"""

import json
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from measure import Row

from kosmo_lua import Kosmo
from kosmo_lua.integration import Api, Credentials, Field, Integration, Json, Params

service = Integration(
    "service",
    title="Service",
    summary="Answers at once; it sends nothing.",
    credentials=Credentials,
    api=Api[Credentials],
)

ROWS = 10_000
CALLS = 1000
CALL_SECONDS = 10e-6

BODY = json.dumps(
    {
        "next": None,
        "results": [
            {
                "id": number,
                "name": f"person {number}",
                "email": f"person-{number}@example.com",
                "score": number / 4,
                "active": number % 3 == 0,
                "plan": "pro",
                "tags": ["new", "eu"] if number % 4 else [],
                "deleted_at": None,
            }
            for number in range(ROWS)
        ],
    },
    separators=(",", ":"),
).encode()


class Text(Params):
    """What `service.say` takes."""

    text: str = Field(description="Anything.")


@service.read()
def rows(api: Api[Credentials]) -> Json:
    """Return rows, from the bytes of an answer."""
    del api
    found: Json = json.loads(BODY)
    return found


@service.read()
def say(api: Api[Credentials], text: Text) -> Json:
    """Return a small table."""
    del api
    return {"text": text.text}


MEDIAN = """
    local took = {}
    for run = 1, 5 do
      local began = os.clock()
      work()
      took[run] = os.clock() - began
    end
    table.sort(took)
"""


def bridge(pairs: int) -> Iterator[Row]:
    """Compare an answer of 10,000 rows, their JSON, and a small call."""
    yield _row(f"call without HTTP ({CALLS})", "10 us each", _ours(CALL), _fixed, 1.0, pairs)
    if not _has_cjson():
        return
    yield _row(
        f"answer of {ROWS:,} rows", "lua-cjson decode", _ours(ANSWER), _peer(DECODE), 3.3, pairs
    )
    yield _row(
        f"JSON of {ROWS:,} rows", "lua-cjson encode", _ours(WRITE), _peer(ENCODE), 4.5, pairs
    )


CALL = f"""
    local say = app.integrations.service.say
    local function work() for i = 1, {CALLS} do say{{text = "hello"}} end end
"""
ANSWER = "local function work() return app.integrations.service.rows() end"
WRITE = """
    local value = app.integrations.service.rows()
    local function work() return json.encode(value) end
"""
DECODE = "local function work() return cjson.decode(text) end"
ENCODE = """
    local value = cjson.decode(text)
    local function work() return cjson.encode(value) end
"""


def _ours(work: str) -> Callable[[], float]:
    kosmo = Kosmo(environ={}, integrations=[service])

    def took() -> float:
        seconds: Any = kosmo.run(f"{work} {MEDIAN} return took[3]").result
        return float(seconds)

    return took


def _peer(work: str) -> Callable[[], float]:
    read = 'local cjson = require "cjson" local text = io.read("a")'

    def took() -> float:
        code = f"{read} {work} {MEDIAN} print(took[3])"
        done = subprocess.run(["lua5.4", "-e", code], input=BODY, capture_output=True, check=True)  # noqa: S603, S607  # the peer
        return float(done.stdout)

    return took


def _fixed() -> float:
    return CALLS * CALL_SECONDS


def _row(  # noqa: PLR0917  # the cells of a row
    name: str,
    peer: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    target: float,
    pairs: int,
) -> Row:
    measured = [(ours(), theirs()) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in measured)
    return Row(name, peer, ratio, target, 1000 * statistics.median(a for a, _ in measured))


def _has_cjson() -> bool:
    if shutil.which("lua5.4") is None:
        return False
    found = subprocess.run(["lua5.4", "-e", 'require "cjson"'], capture_output=True, check=False)  # noqa: S607  # the peer
    return found.returncode == 0
