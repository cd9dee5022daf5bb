"""What limits and isolation cost, and how soon a limit ends a script."""

import statistics
import time
from collections.abc import Callable

from measure import Case, Failed, Figure, Subject, compare, fewer, milliseconds, seconds

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


def _isolated(pairs: int) -> Figure:
    thread, process = Kosmo(environ={}), Kosmo(environ={}, isolation="process")

    def allowed() -> None:
        thread.run("return 1")
        time.sleep(0.005)

    def isolated() -> None:
        process.run("return 1")

    isolated()
    time.sleep(1)  # the server prepares while it is idle
    return compare(isolated, allowed, pairs)


def _end(code: str) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        limited = Kosmo(environ={}, isolation="process", limits=Limits(cpu=LIMIT))

        def end() -> None:
            info = limited.run(code).error_info
            if info is None or info.code != "cpu_limit":
                raise Failed(str(info))

        took = [seconds(end) for _ in range(fewer(pairs))]
        return Figure(max(took) / (LIMIT + 0.5), milliseconds(statistics.median(took)))

    return measure


LIMITS = Subject(
    "limits",
    f"""A script in a process of its own (`isolation="process"`) against one in a thread and 5 ms; then
scripts that never end, with a limit of {LIMIT} s of CPU: the worst time that one took to end, against the
limit and half a second.""",
    [
        Case("isolation process", "thread + 5 ms", 1.0, _isolated),
        *(
            Case(f"end of a {name}", f"limit of {LIMIT} s + 0.5 s (worst)", 1.0, _end(code))
            for name, code in ENDLESS.items()
        ),
    ],
)
