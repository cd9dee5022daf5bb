"""What is secret in a definition although it is written there: by the name that it has, or by its place.

--token abc   TOKEN=abc   Authorization: Bearer abc   {"token": "abc"}   https://x.example/?token=abc
https://abc@x.example   https://user:abc@x.example   postgres://user:abc@x.example
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_plus

from kosmo_lua.values import HIDDEN

_SENSITIVE = re.compile(
    r"authorization|bearer|cookie|credential|pass(?:code|phrase|w)|secret"
    r"|(?:key|token)s?(?![a-z])"  # apikey, and not keyboard
    r"|(?<![a-z])(?:jwt|pass|pat|pw)(?![a-z])"  # GH_PAT, and not path, compass or passive
    r"|(?<=_)pwd(?![a-z])"  # DB_PWD; PWD itself is a folder
)

_HARMLESS = re.compile(
    r"_(?:count|dir|file|folder|length|limits?|name|path|size|through|timeout|ttl|type)$"
    r"|^max_(?:.*_)?tokens$"
)
"""What is said about a secret, or is something else: TOKEN_LIMIT, KEY_FILE, PASS_THROUGH."""

_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")

_REFERENCE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*|@secret:.+|.*\$\{.*", re.DOTALL)
_DEFAULT = re.compile(r"\$\{[^}]*:-[^}]")

_USER = re.compile(
    r"https?://(?P<user>[^\s/?#]+)@|://[^\s/?#:]*:(?P<password>[^\s/?#]+)@", re.IGNORECASE
)
"""Over HTTP the user may be a token, too."""

_NAME = re.compile(
    r"""(?<![\w.%\[\]-])(?P<name>[\w.%\[\]-]++)
    (?:(?P<closed>["'])?\s*(?P<mark>=|:-|:(?![/\\]))\s*["']?|(?<=bearer)\s+)""",
    re.IGNORECASE | re.VERBOSE,
)
"""A name and what follows it up to its value or default: `${TOKEN:-abc}`. A path after a colon is none."""

_REST = re.compile(r".*", re.DOTALL)
_PARAMETER = re.compile(r"""[^\s&#"']*""")
_WORD = re.compile(r"""(?:(?:basic|bearer)\s+)?[^\s&#"',;}]*""", re.IGNORECASE)
_QUOTED = {quote: re.compile(f"[^{quote}]*") for quote in "\"'"}

_HEADER_OPTIONS = ("-H", "--header", "--headers")


def is_sensitive(name: str) -> bool:
    """Whether what has this name is probably a secret: a variable, a header, a parameter, an option."""
    words = "_".join(filter(None, _BETWEEN_WORDS.split(name))).lower()
    return _SENSITIVE.search(words) is not None and _HARMLESS.search(words) is None


def is_reference(value: str) -> bool:
    """Whether a value only says where the real one is."""
    return _REFERENCE.fullmatch(value) is not None


def literals_of(value: str, name: str = "") -> list[str]:
    """Return the secrets that are written in a value of this name, in each way that they may show."""
    return [
        spelled for start, end in _places(value, name) for spelled in _spellings(value[start:end])
    ]


def literals_of_args(args: Sequence[str]) -> list[str]:
    """Return the secrets that are written in arguments, as `literals_of` does."""
    return [each for arg, name in _named(args) for each in literals_of(arg, name)]


def shown_value(value: str, name: str = "") -> str:
    """Return a value of this name without the secrets that are written in it."""
    parts, at = [], 0
    for start, end in _places(value, name):
        parts += [value[at:start], HIDDEN]
        at = end
    return "".join((*parts, value[at:]))


def shown_args(args: Sequence[str]) -> tuple[str, ...]:
    """Return arguments without the secrets that are written in them."""
    return tuple(shown_value(arg, name) for arg, name in _named(args))


def _named(args: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each argument with its name, if one before it is that: `--token abc`, `-H X-Api-Key abc`."""
    option = before = ""
    for arg in args:
        is_name = before.startswith("-") or option in _HEADER_OPTIONS
        is_value = is_name and not {"=", ":"} & {*before} and not arg.startswith("-")
        yield arg, before if is_value else ""
        option, before = before, arg


def _spellings(secret: str) -> list[str]:
    """Return a secret as it stands there, decoded, and without the user or the scheme before it."""
    found = (secret, re.split(r"[\s:]+", secret, maxsplit=1)[-1])
    return [*dict.fromkeys((*found, *map(unquote_plus, found)))]


def _places(value: str, name: str) -> list[tuple[int, int]]:
    """Return where the secrets of a value begin and end, in order."""
    if is_sensitive(name):
        return [(0, len(value))] if _is_written(value) else []
    places: list[tuple[int, int]] = []
    for start, end in sorted([*_users(value), *_pairs(value)]):
        if places and start < places[-1][1]:
            first, last = places.pop()
            places.append((first, max(last, end)))
        else:
            places.append((start, end))
    return places


def _is_written(value: str) -> bool:
    return value != "" and (not is_reference(value) or _DEFAULT.search(value) is not None)


def _users(text: str) -> Iterator[tuple[int, int]]:
    """Yield where users and passwords of addresses are."""
    for found in _USER.finditer(text):
        if _is_written(found[found.lastgroup or 0]):
            yield found.span(found.lastgroup or 0)


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values of sensitive names are."""
    at = 0
    while found := _NAME.search(text, at):
        at, before = found.end(), text[max(found.start() - 1, 0) : found.start()]
        # What follows in x/secret-scanner:1 or //token.example:80 is a version, or a port.
        is_tag = found["mark"] == ":" and before in ("/", "@")
        if is_sensitive(found["name"]) and not is_tag:
            value = _extent(found, before).match(text, at)
            if value and _is_written(value[0]):
                yield value.span()
                at = value.end()


def _extent(found: re.Match[str], before: str) -> re.Pattern[str]:
    """Return how far the value of a name reaches, which depends on what stands around the name."""
    if (last := found[0][-1]) in _QUOTED:
        return _QUOTED[last]
    if before in _QUOTED and not found["closed"]:
        return _QUOTED[before]
    if before in ("", "="):  # it is the whole text, or that of an option
        return _REST
    return _PARAMETER if before in ("?", "&") else _WORD
