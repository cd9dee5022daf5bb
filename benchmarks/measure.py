"""Measures two ways of doing the same, in turn, so that a drift of the machine's speed reaches both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    peer: str
    ratio: float
    target: float
    milliseconds: float


def compare(  # noqa: PLR0917  # the cells of a row
    name: str,
    peer: str,
    ours: Callable[[], None],
    theirs: Callable[[], None],
    target: float,
    pairs: int,
) -> Row:
    """Run both in turn and return the median of the ratios."""
    ours()
    theirs()
    measured = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in measured)
    return Row(name, peer, ratio, target, 1000 * statistics.median(a for a, _ in measured))


def seconds(work: Callable[[], None]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
