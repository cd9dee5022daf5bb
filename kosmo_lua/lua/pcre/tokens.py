"""Tokens: a pattern in the smallest parts that PCRE gives a meaning to."""

import re
from collections.abc import Iterator
from functools import cache

from kosmo_lua.lua.pcre.pattern import Pattern

_NAMES = "alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit"
POSIX_CLASS = rf"\[:\^?(?:{_NAMES}):\]"

# No repeat may run to the end of the pattern and then fail: 64 KiB of `[` would take minutes.
_TOKEN = rf"""
    \\Q (?P<quoted> .*? ) (?: \\E | \Z )
  | \\ (?P<escape>
          x\{{ [^}}]{{0,99}} \}}
        | [pP] (?: [A-Za-z] | \{{ \^? [\w\ &=:.-]{{1,99}} \}} )
        | N\{{ [\w\ -]{{1,99}} \}}
        | k (?: <\w{{1,99}}> | \{{\w{{1,99}}\}} | '\w{{1,99}}' )
        | g (?: -?[0-9]+ | \{{ -?\w{{1,99}} \}} )
        | . )
  | (?P<set> \[ \^? \]? (?: \\. | {POSIX_CLASS} | [^\]\\] )*+ \]? )
  | (?P<comment> \(\?\# [^)]* \)? )
  | \(\? (?P<flags> [a-zA-Z^][a-zA-Z0-9^-]* | -[a-zA-Z]+ ) (?P<scope> [:)] )
  | (?P<open> \( (?: \?'(?P<name>\w{{1,99}})' | [?*] )? )
  | (?P<close> \) )
  | (?: [*+?] | \{{ (?: (?P<least> [0-9]+ ) (?: , (?P<most> [0-9]* ) )? | ,[0-9]+ ) \}} )
    (?P<repeat> [+?]? )
  | (?P<brace> \{{ )
  | BLANK
  | (?P<character> . )
"""
_BLANK = r"(?P<blank> [ \t\n\x0b\f\r]+ | \#[^\n]*\n? )"


def tokens(pattern: Pattern) -> Iterator[re.Match[str]]:
    """Read a pattern from its beginning to its end; the `lastgroup` of a token is its kind."""
    inline = re.match(r"\(\?[a-zA-Z]*x[a-zA-Z]*[-)]", pattern.text)
    verbose = "x" in pattern.flags or inline is not None
    return _reader(verbose=verbose).finditer(pattern.text)


@cache
def _reader(*, verbose: bool) -> re.Pattern[str]:
    # Compiled on first use: it takes as long as all other work of a script that uses no pattern.
    blank = _BLANK if verbose else "(?!)"
    return re.compile(_TOKEN.replace("BLANK", blank), re.VERBOSE | re.DOTALL)
