"""The JSON object that a command is given as an argument or on stdin."""

import os
import stat
import sys

from kosmo_lua.cli.usage import refused
from kosmo_lua.errors import InvalidArguments
from kosmo_lua.strict_json import parse
from kosmo_lua.values import Json, JsonObject

_HINT = 'Write it like \'{"name": "value"}\', or use flags; --help lists them.'


def read(payload: str | None, *, or_piped: bool) -> JsonObject:
    """Return the JSON object that was given, `-` for one on stdin; `or_piped`: one that is piped in counts.

    Raises:
        InvalidArguments: it is not a JSON object.
        click.UsageError: there is no stdin to read.
    """
    text = os.fsencode(payload or "")
    if payload == "-":
        text = _stdin()
    elif payload is None and or_piped and _is_piped():
        text = _stdin()
        if not text.strip():
            return {}
    elif payload is None:
        return {}
    try:
        value = parse(text)
    except ValueError as error:
        message = f"the payload is not valid JSON: {error}"
        raise InvalidArguments(message, hint=_HINT) from None
    if not isinstance(value, dict):
        message = f"the payload must be a JSON object, got {_described(value)}"
        raise InvalidArguments(message, hint=_HINT)
    return value


def _described(value: Json) -> str:
    from kosmo_lua.arguments import describe  # noqa: PLC0415  # pydantic; loaded with the integration

    return describe(value)


def _stdin() -> bytes:
    if sys.stdin is None:
        message = "the payload is `-`, but stdin is closed"
        raise refused(message)
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        message = f"cannot read stdin: {error.strerror}"
        raise refused(message) from None


def _is_piped() -> bool:
    """Whether stdin is a pipe or a file, rather than a terminal or /dev/null."""
    if sys.stdin is None:
        return False
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
