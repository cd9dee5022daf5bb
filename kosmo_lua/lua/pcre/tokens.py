"""Tokens: a pattern in the smallest parts that PCRE gives a meaning to."""

import re
from collections.abc import Iterator
from functools import cache

# No repeat may run to the end of the pattern and then fail: 64 KiB of `[` would take minutes.
_NAME = r"[^\W\d]\w{0,31}"
_NUMBER = r"[+-]?[0-9]{1,9}"

_ESCAPE = rf"""
    (?: [xo] | N (?!\{{[0-9,]) ) \{{ [^}}]{{0,99}} \}}
  | x [0-9a-fA-F]{{0,2}}
  | c .?
  | [pP] (?: [A-Za-z] | \{{ \^? [\w\ &=:.-]{{1,99}} \}} )?
  | k (?: <{_NAME}> | \{{{_NAME}\}} | '{_NAME}' )?
  | g (?: {_NUMBER} | [<{{'] (?: {_NUMBER} | {_NAME} ) [>}}'] )?
  | [0-9]{{1,9}}
  | .
"""

# What looks like [:name:], [.name.] or [=name=] within a set.
_POSIX = r"\[ (?: :\^?[\w<>]{0,20}: | \.\w{0,20}\. | =\w{0,20}= ) \]"

_TOKEN = rf"""
    \\Q (?P<quoted> .*? ) (?: \\E | \Z )
  | \\ (?P<escape> {_ESCAPE} )
  | (?P<set> \[ \^? \]? (?: \\Q .*? (?: \\E | \Z ) | \\. | {_POSIX} | [^\]\\] )*+ \]? )
  | (?P<comment> \(\?\# [^)]* \)? )
  | (?P<call> \(\? (?: R | (?P<called> {_NUMBER} ) | (?: & | P> ) (?P<called_name> {_NAME} ) ) \) )
  | (?P<reference> \(\?P= (?P<same> {_NAME} ) \) )
  | (?P<condition> \(\?\( (?P<test> {_NUMBER} | <{_NAME}> | '{_NAME}' | [\w&]{{1,99}} ) \) )
  | (?P<scope> \(\? (?P<flags> [a-zA-Z^-]{{0,99}} ) [:)] )
  | (?P<verb> \(\* [^)]{{0,99}} \) )
  | (?P<open> \( (?:
          (?![?*])
        | \? (?: P?<(?P<name> {_NAME} )> | '(?P<quoted_name> {_NAME} )' )
        | \? (?: [|>=!] | <[=!] | (?= \(\?<?[=!] ) )
      ) )
  | (?P<close> \) )
  | (?P<branch> \| )
  | (?: [*+?] | \{{ (?: (?P<least> [0-9]+ ) (?: , (?P<most> [0-9]* ) )? | ,[0-9]+ ) \}} )
    (?P<repeat> [+?]? )
  | BLANK
  | (?P<character> \w+ (?! [*+?{{] ) | . )
"""
_BLANK = r"(?P<blank> [ \t\n\x0b\f\r]+ | \#[^\n]*\n? )"

_ITEM = rf"""
    \\Q (?P<quoted> .*? ) (?: \\E | \Z )
  | \\ (?P<escape> {_ESCAPE} )
  | (?P<posix> {_POSIX} )
  | (?P<character> . )
"""


def token_at(text: str, position: int, *, verbose: bool) -> re.Match[str]:
    """Read one token; its `lastgroup` is its kind. `verbose`: spaces and comments mean nothing here."""
    token = _reader(verbose=verbose).match(text, position)
    assert token, "the last alternative takes any character"
    return token


def items(text: str) -> Iterator[re.Match[str]]:
    """Read what is between the brackets of a set."""
    return _item_reader().finditer(text)


# Compiled on first use: it takes as long as all other work of a script that uses no pattern.
@cache
def _reader(*, verbose: bool) -> re.Pattern[str]:
    blank = _BLANK if verbose else "(?!)"
    return re.compile(_TOKEN.replace("BLANK", blank), re.VERBOSE | re.DOTALL)


@cache
def _item_reader() -> re.Pattern[str]:
    return re.compile(_ITEM, re.VERBOSE | re.DOTALL)
