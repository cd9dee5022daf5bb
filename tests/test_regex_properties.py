"""What holds of `regex` whatever the text is, found by hypothesis."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kosmo_lua.lua.helpers.regex import functions, gsub, match_all, split

TEXTS = st.text(alphabet=st.sampled_from("ab,é😀\n"), max_size=40)
PATTERNS = st.sampled_from(
    [
        "",
        ",",
        "a*",
        "a*?",
        "(a)|(b)",
        "(?=a)",
        r"\b",
        "é|",
        r"(?<=a)b?",
        r"a\Kb?",
        r"(?<n>.)",
        "$",
        "^",
    ]
)

REGEX = functions()
find_all = REGEX["find_all"]
find_more = REGEX["find_more"]


def _all(subject: str, pattern: str) -> list[tuple[int, int, Any]]:
    """Each match with its bytes, one batch after the other."""
    found: list[tuple[int, int, Any]] = []
    batch: Any = find_all(subject, pattern)
    while batch:
        places = batch["places"]
        found += zip(places[::2], places[1::2], batch["rows"], strict=True)
        batch = find_more(batch["cursor"]) if "cursor" in batch else None
    return found


@given(TEXTS, PATTERNS)
def test_offsets_are_those_of_the_text(subject: str, pattern: str) -> None:
    """Ours: bytes `first` to `last` are the match, and the next one starts behind it."""
    found = _all(subject, pattern)
    for first, last, texts in found:
        assert subject.encode()[first - 1 : last].decode() == texts[0]
    for (_, last, _), (first, _, _) in pairwise(found):
        assert first > last


@given(TEXTS, PATTERNS)
def test_find_all_and_match_all_find_the_same(subject: str, pattern: str) -> None:
    """Ours: one gives rows, the other columns."""
    columns: Any = match_all(subject, pattern)
    columns = columns[""] if isinstance(columns, dict) else columns
    assert [texts for _, _, texts in _all(subject, pattern)] == [
        list(row) for row in zip(*columns, strict=True)
    ]


@given(TEXTS, PATTERNS)
def test_a_search_goes_on_anywhere_as_if_it_had_not_stopped(subject: str, pattern: str) -> None:
    """Ours: what was forgotten of a loop is told again, by the bytes of its last match."""
    found = _all(subject, pattern)
    for index, (first, last, _) in enumerate(found):
        rest: Any = find_all(subject, pattern, "", first, last)
        assert rest["rows"] == [texts for _, _, texts in found[index + 1 :]]


@given(TEXTS, PATTERNS, st.integers(-1, 5))
def test_split_gives_what_gsub_leaves(subject: str, pattern: str, limit: int) -> None:
    """Ours: the pieces with a text between them are the subject with that text for each match."""
    pieces: Any = split(subject, pattern, limit)
    replaced = gsub(subject, pattern, "|", limit - 1 if limit > 0 else -1)
    assert "|".join(pieces) == replaced


@given(TEXTS, PATTERNS)
def test_gsub_replaces_what_find_all_finds(subject: str, pattern: str) -> None:
    """Ours: each match, with its groups, and nothing else."""
    result, end = b"", 0
    for first, last, texts in _all(subject, pattern):
        group = texts[1] if len(texts) > 1 else ""
        result += subject.encode()[end : first - 1] + f"<{texts[0]}|{group}>".encode()
        end = last
    assert gsub(subject, pattern, "<$0|$1>") == (result + subject.encode()[end:]).decode()
