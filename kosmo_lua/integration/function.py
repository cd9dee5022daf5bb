"""Function: one operation, whoever declared it; and what else belongs to an integration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kosmo_lua.http import Api, Event
from kosmo_lua.results import Access
from kosmo_lua.values import MCP_PREFIX, Json, JsonObject


def lua_path(integration: str) -> str:
    """Return where an integration is in Lua, by its name: `app.integrations.segment`, `app.mcp.github`."""
    return f"app.{'' if integration.startswith(MCP_PREFIX) else 'integrations.'}{integration}"


class Emulation(NamedTuple):
    """The emulator that an integration ships."""

    service: str
    """Where its class is: `kosmo_segment.emulator:SegmentEmulator`, loaded only when it is started."""
    settings: Mapping[str, str]
    """The credentials that it knows."""
    urls: tuple[str, ...]
    """The settings that take its address."""


class Rows(NamedTuple):
    """One page of a list, and whether another one follows."""

    rows: list[Json]
    more: bool


class Each(NamedTuple):
    """How a list is read to its end: `for person in app.integrations.posthog.each_person() do`.

    `pages` is called with the function that lists one page, the Api and the parameters, and yields Rows. It
    must not keep what it has read: a list may be longer than memory.
    """

    name: str
    """The name of the iterator, such as `each_person`."""
    pages: Callable[[Callable[..., Any], Any, Any], Iterator[Rows]]
    example: str = ""
    """The arguments that it needs at least, as Lua."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Function:
    """One operation, whoever declared it. Lua, the command line, docs and policy know nothing else."""

    integration: str
    name: str
    aliases: tuple[str, ...] = ()
    access: Access
    credential: str | None
    """The setting that the call needs, such as `write_key`; None: it needs none."""
    summary: str
    description: str
    returns: str
    examples: tuple[str, ...]
    source: str | None
    schema: Callable[[], JsonObject] = field(repr=False)
    validate: Callable[[JsonObject], object] = field(repr=False)
    invoke: Callable[[Api[Any], object], Json] = field(repr=False)
    event: Callable[[Api[Any], object], Event] | None = field(default=None, repr=False)
    """Makes what is sent, of a function whose service takes it in batches, too."""
    parser: Callable[[], Callable[[bytes], object]] | None = field(default=None, repr=False)
    """Returns what does for such a function what `validate` does, with JSON, or raises ValueError."""
    pages: Callable[[Api[Any], object], Iterator[Rows]] | None = field(default=None, repr=False)
    """Reads page by page, of an iterator."""
    lists: "Function | None" = field(default=None, repr=False)
    """Of an iterator, the function that lists one page: its calls are those of this function."""

    @property
    def is_tool(self) -> bool:
        """Whether it is that of an MCP server, which has no accounts."""
        return self.integration.startswith(MCP_PREFIX)

    @property
    def full_name(self) -> str:
        """The name in logs and errors: `segment.identify_user`."""
        return f"{self.integration}.{self.name}"

    @property
    def lua_path(self) -> str:
        """Where it is in Lua: `app.integrations.segment.identify_user`."""
        return f"{lua_path(self.integration)}.{self.name}"

    @property
    def log_name(self) -> str:
        """The name that its calls have: those of an iterator are calls of what lists one page."""
        return (self.lists or self).full_name

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name that means this function, the canonical one first."""
        names, prefix = (self.name, *self.aliases), f"{self.integration}_"
        if self.is_tool:  # it may have any name
            return names
        slugs = (name if name.startswith(prefix) else prefix + name for name in names)
        return tuple(dict.fromkeys([*names, *slugs]))
