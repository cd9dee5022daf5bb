"""What limits and isolation cost, and how soon a limit ends a script."""

import statistics
import time
from collections.abc import Iterator

from measure import Row, compare, seconds

from kosmo_lua import Kosmo, Limits

LIMIT = 0.3
"""Seconds of CPU that a script gets here."""

ENDLESS = {
    "loop": "while true do end",
    "pcall loop": "while true do pcall(function() while true do end end) end",
    "coroutine": "coroutine.wrap(function() while true do end end)()",
    "__close": "local x <close> = setmetatable({}, {__close = function() while true do end end})",
    "pattern": '(("a"):rep(300)):find(".-.-.-.-b")',
    "string.rep": 'local s = string.rep("", 1 << 62)',
}


def limits(pairs: int) -> Iterator[Row]:
    """Compare a process of its own with a thread, and the end of endless scripts with what is promised."""
    thread, process = Kosmo(environ={}), Kosmo(environ={}, isolation="process")

    def allowed() -> None:
        thread.run("return 1")
        time.sleep(0.005)

    def isolated() -> None:
        process.run("return 1")

    isolated()
    time.sleep(1)  # the server prepares while it is idle
    yield compare("isolation process", "thread + 5 ms", isolated, allowed, 1.0, pairs)
    limited = Kosmo(environ={}, isolation="process", limits=Limits(cpu=LIMIT))
    for name, code in ENDLESS.items():

        def end(code: str = code) -> None:
            limited.run(code)

        took = [seconds(end) for _ in range(max(pairs // 5, 3))]
        ratio, middle = max(took) / (LIMIT + 0.5), 1000 * statistics.median(took)
        yield Row(f"end of a {name}", f"limit of {LIMIT} s + 0.5 s (worst)", ratio, 1.0, middle)
