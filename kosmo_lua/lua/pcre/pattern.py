"""Pattern: what a script gives, bare (`a+`) or delimited (`/a+/i`), as a text and its flags."""

import re
from typing import NamedTuple

FLAGS = "imsxuADUX"


class PatternError(Exception):
    """What is wrong with a pattern, as the end of a sentence."""


class Refused(Exception):
    """What is wrong with a part of a pattern; who knows its place makes it a PatternError."""


class Pattern(NamedTuple):
    """A pattern without its delimiters, where it starts in what was given, and its flags."""

    text: str
    start: int
    flags: str

    def invalid(self, what: str, position: int | None = None) -> PatternError:
        """Return the error that says what is wrong, and at which position of the text."""
        where = "" if position is None else f" at position {self.start + position}"
        return PatternError(f"the pattern is not valid: {what}{where}")


def split(given: str, flags: str) -> Pattern:
    """Return the pattern; the flags behind a delimiter count as well as those of the call."""
    # "g" is no flag of PCRE, but /x/g is meant as a delimited pattern, and would silently never match.
    delimited = re.fullmatch(rf"([/#~])(.*)\1([{FLAGS}g]*)", given, re.DOTALL)
    pattern = Pattern(given, 0, flags)
    if delimited:
        pattern = Pattern(delimited[2], 1, delimited[3] + flags)
    for letter in pattern.flags:
        if letter not in FLAGS:
            raise PatternError(f"there is no flag {letter!r}; the flags are {', '.join(FLAGS)}")
    return pattern
