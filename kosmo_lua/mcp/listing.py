"""Listing: what a server has said of itself and its tools, and where that is kept between runs.

A listing is for docs, completion and the checks before a call. A run that really calls a server asks it
again, because it may have changed.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Self

from kosmo_lua.config import Config
from kosmo_lua.config.files import replace
from kosmo_lua.errors import ConfigError
from kosmo_lua.mcp.server import Server
from kosmo_lua.mcp.trust import fingerprint
from kosmo_lua.values import JsonObject

FORMAT = 1

MOST_TOOLS = 10_000
"""Of a server; nobody has as many, but a stranger may say so. What follows is left out."""
LONGEST_NAME = 256
"""Characters of a tool's name; the protocol recommends 128 at most."""


@dataclass(frozen=True)
class Listing:
    """What a server has told."""

    title: str | None
    instructions: str | None
    tools: tuple[JsonObject, ...]
    """Each as it came over the wire: `name`, `description`, `inputSchema`, `annotations` and so on."""

    @classmethod
    def of(cls, title: str | None, instructions: str | None, tools: list[JsonObject]) -> Self:
        """Return the listing, without what has no name, or one that nobody would write."""
        named = (tool for tool in tools if isinstance(tool.get("name"), str))
        usable = (tool for tool in named if len(str(tool["name"])) <= LONGEST_NAME)
        return cls(title, instructions, tuple(islice(usable, MOST_TOOLS)))


class Listings:
    """The listings that are kept: a file for each server, by the fingerprint of its configuration."""

    def __init__(self, config: Config) -> None:
        self._folder = config.path("cache")

    def load(self, server: Server) -> Listing | None:
        """Return what is kept of a server; None: nothing that can be used."""
        path = self._path(server)
        with suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
            facts = json.loads(path.read_bytes()) if path and path.is_file() else None
            if facts and facts["format"] == FORMAT:
                return Listing.of(
                    _text(facts["title"]), _text(facts["instructions"]), [*facts["tools"]]
                )
        return None

    def keep(self, server: Server, listing: Listing) -> None:
        """Keep a listing. Where that is impossible it is asked for again."""
        path = self._path(server)
        if path is None:
            return
        facts = {
            "format": FORMAT,
            "server": server.name,
            "title": listing.title,
            "instructions": listing.instructions,
            "tools": listing.tools,
        }
        with suppress(OSError, ConfigError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(path, json.dumps(facts), 0o600)

    def _path(self, server: Server) -> Path | None:
        if self._folder is None:
            return None
        identity = json.dumps([server.alias, server.project, fingerprint(server)])
        return Path(self._folder, f"mcp-{sha256(identity.encode()).hexdigest()[:32]}.json")


def _text(value: Any) -> str | None:  # noqa: ANN401  # JSON
    return value if isinstance(value, str) else None
