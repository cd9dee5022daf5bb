"""Compilation: a pattern becomes one of the engine's, within bounds of length, time and memory."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from time import monotonic
from types import FrameType

import regex

from kosmo_lua.lua.pcre.pattern import PatternError, split
from kosmo_lua.lua.pcre.translation import Translation

MAX_PATTERN = 64 * 1024
"""Characters of a pattern."""

_ENGINE = str(Path(regex.__file__).parent)

GUARDED = 4096
"""Characters from which on the compilation of a pattern can be stopped; shorter ones take 0.2 s at worst."""

REMEMBERED = 1024
"""Characters up to which a pattern is compiled once for many calls."""


def compile_pattern(given: str, flags: str, seconds: float) -> "regex.Pattern[str]":
    """Return a compiled pattern; raise PatternError, TimeoutError or MemoryError."""
    if len(given) > MAX_PATTERN:
        raise PatternError(f"the pattern is longer than {MAX_PATTERN // 1024} KiB")
    return (_remembered if len(given) <= REMEMBERED else _compiled)(given, flags, seconds)


def _compiled(given: str, flags: str, seconds: float) -> "regex.Pattern[str]":
    deadline = monotonic() + seconds
    pattern = split(given, flags)
    translation = Translation(pattern)
    try:
        return _engine_pattern(translation.text, pattern.flags, deadline - monotonic())
    except (TimeoutError, MemoryError):
        raise
    except RecursionError as error:
        raise pattern.invalid("its groups are nested too deep") from error
    except Exception as error:
        # 4,500 lines of Python have read what a hostile script wrote; other errors than their own may come.
        what, position = getattr(error, "msg", str(error)), getattr(error, "pos", None)
        raise translation.invalid(what, position) from error


_remembered = lru_cache(maxsize=64)(_compiled)


def _engine_pattern(text: str, flags: str, seconds: float) -> "regex.Pattern[str]":
    options = regex.V1 | regex.UNICODE
    for letter, option in (("i", regex.I), ("m", regex.M), ("s", regex.S)):
        if letter in flags:
            options |= option
    if len(text) < GUARDED:
        return regex.compile(text, options, cache_pattern=False)
    try:
        with _stopped_after(seconds):
            return regex.compile(text, options, cache_pattern=False)
    finally:
        # The package remembers every pattern it has seen, and only its own cache would ever trim that.
        regex.purge()


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Let Python code raise TimeoutError, unless a profiler is at work; it takes up to four times longer."""
    deadline = monotonic() + seconds

    def check(frame: FrameType, _event: str, _argument: object) -> None:
        # Only in the compiler's own frames, and in no __del__: what is raised there, or in a callback of the
        # collector, is lost, and the profile function with it.
        code = frame.f_code
        late = monotonic() > deadline
        if late and code.co_name != "__del__" and code.co_filename.startswith(_ENGINE):
            raise TimeoutError

    if sys.getprofile() is not None:
        yield
        return
    sys.setprofile(check)
    try:
        yield
    finally:
        sys.setprofile(None)
