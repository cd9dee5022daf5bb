"""Measures kosmo as ratios against a peer in the same run, and prints one table: `make bench`.

Each pair of commands runs in turn (A B A B ...), so that a drift of the machine's speed reaches both; the
figure is the median of the ratios pair by pair. A ratio is good to about 0.05 on a quiet machine.
A whole run also writes docs/performance.md.
"""

import argparse
import sys
from collections.abc import Iterable

from bridge import BRIDGE
from concurrency import CONCURRENCY
from delivery import DELIVERY
from limits import LIMITS
from loops import LUA
from measure import Case, Failed, LeftOut, Subject
from pages import READING
from report import PAGE, Row, heading, line, write
from sequential import SEQUENTIAL
from startup import STARTUP

SUBJECTS = [STARTUP, SEQUENTIAL, DELIVERY, CONCURRENCY, READING, BRIDGE, LUA, LIMITS]


def main() -> int:
    """Print the table; the exit status is 1 when a target is missed."""
    options = _options()
    print(heading())
    measured: dict[str, list[Row]] = {}
    for subject in SUBJECTS:
        rows = [_measured(case, options.pairs) for case in _chosen(subject, options.only)]
        measured[subject.name] = rows
    if options.write or not options.only:
        write(
            [(each, measured[each.name]) for each in SUBJECTS if measured[each.name]], sys.argv[1:]
        )
        print(f"written: {PAGE}", file=sys.stderr)
    rows = [row for found in measured.values() for row in found]
    return int(any(row.verdict in ("missed", "failed") for row in rows))


def _options() -> argparse.Namespace:
    names = ", ".join(subject.name for subject in SUBJECTS)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=25, help="pairs of runs (default 25)")
    parser.add_argument(
        "--only", metavar="WORD", help=f"a part ({names}), or a word of a row's name"
    )
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.name} after --only, too"
    )
    return parser.parse_args()


def _chosen(subject: Subject, word: str | None) -> Iterable[Case]:
    if word in (None, subject.name):
        return subject.cases
    return [case for case in subject.cases if word.lower() in case.name.lower()]


def _measured(case: Case, pairs: int) -> Row:
    try:
        found = case.measure(pairs)
    except Failed as error:
        row = Row(case, None, "-", "failed")
        print(f"{case.name}: {error}", file=sys.stderr)
    except LeftOut as error:
        row = Row(case, None, "-", "left out")
        print(f"{case.name}: left out: {error}", file=sys.stderr)
    else:
        verdict = "met" if found.ratio <= case.target else "missed"
        row = Row(case, found.ratio, found.ours, verdict)
    print(line(row), flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
