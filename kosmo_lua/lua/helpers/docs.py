"""The Lua table `docs`: the reference, readable by scripts and by the agents that write them."""

from collections.abc import Callable, Mapping

from kosmo_lua.errors import InvalidArguments
from kosmo_lua.reference import Reference
from kosmo_lua.values import Json

LONGEST = 200
"""Characters of a query or of a page's name."""


def functions(reference: Reference) -> Mapping[str, Callable[..., Json]]:
    """Return docs.list, docs.search and docs.read; each returns Markdown."""

    def search(query: Json = None) -> Json:
        return reference.search(_text("docs.search", query, "identify"))

    def read(page: Json = None) -> Json:
        return reference.read(_text("docs.read", page, "segment.identify_user"))

    return {"list": reference.index, "search": search, "read": read}


def _text(name: str, value: Json, example: str) -> str:
    if isinstance(value, str) and value.strip() and len(value) <= LONGEST:
        return value.strip()
    message = (
        f'{name} takes a text of at most {LONGEST} characters, for example {name}("{example}")'
    )
    raise InvalidArguments(message)
