"""What there is: the answers of `integrations:list`, `search`, `docs`, `schema` and `examples`."""

from typing import NamedTuple

from kosmo_lua.results import Access
from kosmo_lua.values import JsonObject


class FunctionEntry(NamedTuple):
    """A function in a list."""

    function: str
    access: Access
    summary: str


class PageEntry(NamedTuple):
    """A page of the docs in a list."""

    page: str
    title: str


class Provider(NamedTuple):
    """An integration in a list. `configured`: one of its accounts has a credential."""

    title: str
    summary: str
    active: bool
    configured: bool
    functions: tuple[FunctionEntry, ...]


class Listing(NamedTuple):
    """What `integrations:list` shows."""

    providers: dict[str, Provider]


class Found(NamedTuple):
    """What `integrations:search` found: functions, and the other pages that contain the words; best first."""

    query: str
    functions: tuple[FunctionEntry, ...]
    pages: tuple[PageEntry, ...]


class Page(NamedTuple):
    """A page of the docs, as Markdown."""

    page: str
    title: str
    markdown: str


class FunctionSchema(NamedTuple):
    """The JSON Schema of a function's parameters."""

    function: str
    schema: JsonObject


class Example(NamedTuple):
    """How a function is called, from Lua and from a shell."""

    function: str
    lua: str
    command: str


class Examples(NamedTuple):
    """The examples of an integration, or of a function."""

    page: str
    examples: tuple[Example, ...]
