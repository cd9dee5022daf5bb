"""Text for a terminal: tables in columns, and Markdown without its marks."""

import json
import re
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines whose columns stand below each other.

    A cell may be a stranger's: it does not get to move the cursor of the terminal.
    """
    rows = [["".join(c if c.isprintable() else "?" for c in cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (zip(row, widths, strict=True) for row in rows)
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in line).rstrip() for line in lines
    )


def escaped(text: str) -> str:
    """Return a stranger's text on one line; what a terminal would not show is written as in JSON."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def plain(markdown: str) -> str:
    """Return Markdown as it reads best on a terminal: no fences, no backticks, code indented."""
    parts = re.split(r"^```\w*\n(.*?)^```\n?", markdown, flags=re.MULTILINE | re.DOTALL)
    texts = [_prose(part) if at % 2 == 0 else _code(part) for at, part in enumerate(parts)]
    return "".join(texts).strip("\n")


def _code(source: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in source.splitlines())


def _prose(markdown: str) -> str:
    text = re.sub(r"\[([^\]]+)\]\([^)\s]+\)", r"\1", markdown)
    text = re.sub(r"^#+ |`|\*\*", "", text, flags=re.MULTILINE)
    return re.sub(r"(?:^\|.*\n)+", lambda found: _columns(found[0]), text, flags=re.MULTILINE)


def _columns(source: str) -> str:
    """Return a table of Markdown in columns, without the line below its heading."""
    heading, _, *lines = source.splitlines()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in (heading, *lines)]
    width = len(rows[0])  # a row that has more, or fewer, is a stranger's
    rows = [[*row, *[""] * width][:width] for row in rows]
    return table([[cell.strip().replace(r"\|", "|") for cell in row] for row in rows]) + "\n"
