"""Measures two ways of doing the same, in turn, so that a drift of the machine's speed reaches both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


class Failed(Exception):
    """What was to be measured did not do its work; the message says what happened."""


class LeftOut(Exception):
    """A peer is not on this machine; the message says how to install it."""


@dataclass(frozen=True)
class Figure:
    """What a measurement found: the ratio, and our side of it with its unit."""

    ratio: float
    ours: str


@dataclass(frozen=True)
class Case:
    """One line of the table: `measure` takes the number of pairs of runs."""

    name: str
    peer: str
    target: float
    measure: Callable[[int], Figure]


@dataclass(frozen=True)
class Subject:
    """A part of the table. `about` says what is measured and how, in Markdown."""

    name: str
    about: str
    cases: list[Case]


def compare(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> Figure:
    """Measure how long both take."""
    return paired(lambda: seconds(ours), lambda: seconds(theirs), pairs)


def paired(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> Figure:
    """Let both measure themselves in turn, in seconds, after a first time that does not count.

    The ratio is the median of the ratios of the pairs.
    """
    ours()
    theirs()
    measured = [(ours(), theirs()) for _ in range(pairs)]
    ratio = statistics.median(a / b for a, b in measured)
    return Figure(ratio, milliseconds(statistics.median(a for a, _ in measured)))


def milliseconds(time_in_seconds: float) -> str:
    """Return a time as the table shows it."""
    return f"{1000 * time_in_seconds:,.1f} ms"


def megabytes(size_in_bytes: float) -> str:
    """Return a size as the table shows it."""
    return f"{size_in_bytes / 1e6:,.1f} MB"


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def fewer(pairs: int) -> int:
    """Return how often to run what takes long."""
    return max(pairs // 5, 3)
