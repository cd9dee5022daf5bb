"""Suggestions: which names somebody may have meant by one that is not there."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, most: int = 3, like: float = 0.6) -> list[str]:
    """Return the names most like `name`, the best first; `like` is how much: 1 is the same."""
    from difflib import get_close_matches  # noqa: PLC0415  # 2 ms, only for a mistake

    return get_close_matches(name, [*known], n=most, cutoff=like)
