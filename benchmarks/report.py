"""The table: on the terminal as the rows come, and in docs/performance.md with the machine it is from."""

import os
import platform
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from measure import Case, Subject

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PACKAGES = (
    "kosmo-lua",
    "lupa",
    "httpx",
    "pydantic",
    "click",
    "segment-analytics-python",
    "posthog",
)

OPENING = """# Performance

<!-- Written by `make bench`; do not edit. -->

Each row compares kosmo with a peer in the same run, in turn, so that the machine's speed matters little: the
ratio is the median over the pairs of runs, below 1 is faster than the peer. Times are medians of kosmo's side
on this machine.

"""


@dataclass(frozen=True)
class Row:
    """A case, and what was found. `ratio` is None where there is none, and `ours` says why."""

    case: Case
    ratio: float | None
    ours: str
    verdict: str
    """`met`, `missed`, `failed` or `left out`."""


def line(row: Row) -> str:
    """Return the row for the terminal."""
    mark = "" if row.verdict == "met" else f"  {row.verdict}"
    ratio = "     -" if row.ratio is None else f"{row.ratio:6.2f}"
    cells = f"{row.case.name:36} {row.case.peer:34} {ratio} {row.case.target:7.2f}"
    return f"{cells} {row.ours:>12}{mark}"


def heading() -> str:
    """Return what stands above the rows on the terminal."""
    return f"{'what':36} {'peer':34} {'ratio':>6} {'target':>7} {'ours':>12}"


def write(measured: list[tuple[Subject, list[Row]]], arguments: list[str]) -> None:
    """Write docs/performance.md."""
    rows = [row for _, found in measured for row in found]
    parts = [OPENING, _machine(arguments), _missed(rows), "\n## Results\n", *_table(rows)]
    parts += ["\n## What is measured\n"]
    parts += [f"\n**{subject.name}**: {subject.about}\n" for subject, _ in measured]
    PAGE.write_text("".join(parts) + REPEAT, encoding="utf-8")


REPEAT = """
## Repeat it

```console
make bench                 # everything, and this page
make bench ONLY=delivery   # one part, printed only
```

`make bench` installs the peers. The server of the measurements is `benchmarks/sink.py`, a process of its own
on the same machine, and the peers' scripts are in `benchmarks/peers/`.
"""


def _machine(arguments: list[str]) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    command = shlex.join(["benchmarks/run.py", *arguments])
    return (
        f"- Machine: {_processor()}, {os.cpu_count()} cores; {release}, Linux {platform.release()}\n"
        f"- Versions: Python {platform.python_version()}, {versions}\n"
        f"- Measured: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, `{command}`\n"
    )


def _processor() -> str:
    for entry in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = entry.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _missed(rows: list[Row]) -> str:
    """Say up front what did not reach its target."""
    missed = [row.case.name for row in rows if row.verdict in ("missed", "failed")]
    if not missed:
        return "- Targets: all met\n"
    return f"- Targets missed: {len(missed)} of {len(rows)}: {'; '.join(missed)}\n"


def _table(rows: Iterable[Row]) -> Iterable[str]:
    yield "\n| What | Peer | Ratio | Target | kosmo | |\n|---|---|---:|---:|---:|---|\n"
    for row in rows:
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        verdict = row.verdict if row.verdict in ("met", "left out") else f"**{row.verdict}**"
        case = row.case
        yield f"| {case.name} | {case.peer} | {ratio} | {case.target:.2f} | {row.ours} | {verdict} |\n"
