"""What is secret in a definition although it is written there: by the name that it has."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from kosmo_lua.values import HIDDEN

_NAMES = re.compile(
    r"authorization|key|token|secret|passw|credential|cookie|bearer", re.IGNORECASE
)


_REFERENCE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*|@secret:.+|.*\$\{.*", re.DOTALL)


def is_sensitive(name: str) -> bool:
    """Whether what has this name is probably a secret: a variable, a header, a parameter, an option."""
    return _NAMES.search(name) is not None


def is_reference(value: str) -> bool:
    """Whether a value only says where the real one is."""
    return _REFERENCE.fullmatch(value) is not None


def literals_of_url(url: str) -> list[str]:
    """Return the secrets that are written in an address, as they stand there and decoded."""
    pairs = (piece.partition("=") for piece in url.partition("?")[2].partition("#")[0].split("&"))
    found = [v for name, _, v in pairs if v and is_sensitive(name) and not is_reference(v)]
    return [*found, *(decoded for v in found if (decoded := unquote_plus(v)) != v)]


def literals_of_args(args: Sequence[str]) -> list[str]:
    """Return the secrets that are written in arguments: `--token=abc`, or `--token abc`."""
    return [args[at][start:] for at, start in _literals(args)]


def shown_url(url: str) -> str:
    """Return an address without the secrets that are written in it."""
    before, mark, query = url.partition("?")  # not urlsplit: with references it may be no URL yet
    query, has_fragment, fragment = query.partition("#")
    pieces = []
    for piece in query.split("&"):
        name, _, value = piece.partition("=")
        hide = value and is_sensitive(name) and not is_reference(value)
        pieces.append(f"{name}={HIDDEN}" if hide else piece)
    return f"{before}{mark}{'&'.join(pieces)}{has_fragment}{fragment}"


def shown_args(args: Sequence[str]) -> tuple[str, ...]:
    """Return arguments without the secrets that are written in them."""
    found = list(args)
    for at, start in _literals(args):
        found[at] = f"{args[at][:start]}{HIDDEN}"
    return tuple(found)


def _literals(args: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Return where the secrets are: the index of an argument, and where in it the secret begins."""
    expected = False
    for at, arg in enumerate(args):
        name, has_value, value = arg.partition("=")
        if expected and not arg.startswith("-"):
            if not is_reference(arg):
                yield at, 0
            expected = False
        elif has_value and is_sensitive(name) and value and not is_reference(value):
            yield at, len(name) + 1
            expected = False
        else:
            expected = arg.startswith("-") and not has_value and is_sensitive(name)
