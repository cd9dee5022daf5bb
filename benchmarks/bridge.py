"""What it costs that values cross between Lua and the host, against lua-cjson in Debian's lua5.4.

Both sides take the time of the same work in a loop of their own, with Lua's CPU clock; the peer is a process
of its own, as it would be without a sandbox. Without it its rows are left out.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

from measure import Case, Figure, LeftOut, Subject, fewer, paired

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


def _pairs(
    ours: str, theirs: Callable[[], float], *, cjson: bool = True
) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        if cjson and not _has_cjson():
            message = "apt install lua5.4 lua-cjson"
            raise LeftOut(message)
        return paired(_ours(ours), theirs, fewer(pairs))

    return measure


def _has_cjson() -> bool:
    if shutil.which("lua5.4") is None:
        return False
    found = subprocess.run(["lua5.4", "-e", 'require "cjson"'], capture_output=True, check=False)  # noqa: S607  # the peer
    return found.returncode == 0


BRIDGE = Subject(
    "bridge",
    f"""What it costs that values cross between Lua and the host, as Lua's CPU time: a call that sends
nothing; an answer of {ROWS:,} rows as a Lua table; and that table as JSON. The peer is lua-cjson in
Debian's `lua5.4`, without a sandbox; where it is not installed its rows are left out.""",
    [
        Case(
            f"{CALLS:,} calls without HTTP", "10 us each", 1.0, _pairs(CALL, _fixed, cjson=False)
        ),
        Case(f"answer of {ROWS:,} rows", "lua-cjson decode", 3.3, _pairs(ANSWER, _peer(DECODE))),
        Case(f"JSON of {ROWS:,} rows", "lua-cjson encode", 4.5, _pairs(WRITE, _peer(ENCODE))),
    ],
)
