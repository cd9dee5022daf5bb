"""Words of a stranger, as docs and errors may show them."""

LONGEST = 20_000
"""Characters of a description, or of a server's instructions, that docs show."""


def cleaned(text: str, *, lines: bool = False) -> str:
    """Return a stranger's text without what would steer a terminal, and of bounded length."""
    kept = (c if c.isprintable() or (lines and c == "\n") else " " for c in text[:LONGEST])
    return "".join(kept).strip() + ("..." if len(text) > LONGEST else "")


def quoted(text: str) -> str:
    """Return a stranger's Markdown as a quotation: its headings and fences end with it."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
