"""Editor: changes the files that define MCP servers; whatever else is in them stays."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast

from kosmo_lua.config import LOCK, Config
from kosmo_lua.errors import ConfigError, UnknownIntegration
from kosmo_lua.mcp.documents import (
    KEYS,
    PROJECT_FILES,
    USER_FILE,
    entries,
    has_comments,
    parsed,
    paths,
    read,
    shown,
)
from kosmo_lua.mcp.servers import Servers
from kosmo_lua.values import Json, JsonObject

Outcome = Literal["added", "replaced", "same", "exists"]
"""What became of a new entry; `exists`: there is another one of that name, and it stays."""


class Place(NamedTuple):
    """Where an entry is: a file, the project that it belongs to, and the name in it."""

    path: str
    project: str | None
    name: str


class Editor:
    """Adds, removes and switches servers. Each change is made as a whole, and one after the other."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def target(self, *, project: bool) -> str:
        """Return the file that new servers belong to: that of the project, or the user's own.

        Raises:
            ConfigError: there is none.
        """
        if not project:
            return self._config.own_path(USER_FILE)
        if self._config.root is None:
            raise ConfigError("there is no project here: its folder was removed")
        return os.path.join(self._config.root, PROJECT_FILES[0])

    def locate(self, servers: Servers, name: str, *, project: bool | None = None) -> Place:
        """Return the entry that a name, or an alias, means; also one that cannot be used.

        `project` says in whose files; None: in all, and the entry that counts.

        Raises:
            UnknownIntegration: there is none.
            ConfigError: a file cannot be read.
        """
        servers.check_unambiguous(name)
        server = servers.all.get(name)
        if server and project in (None, server.project is not None):
            return Place(server.source, server.project, server.name)
        for path, root in paths(self._config):
            if project in (None, root is not None) and os.path.lexists(path):
                for each in entries(read(path), path) if project is not None else self._of(path):
                    if each == (server.name if server else name):
                        return Place(path, root, each)
        found = servers.find(name)  # else it says that there is none
        where = "a file of the project" if project else "your own file"
        message = f"the MCP server {found.name} is not defined in {where}, but in {found.source}"
        raise UnknownIntegration(message, hint="List them: kosmo mcp:list --all")

    @staticmethod
    def _of(path: str) -> list[str]:
        """Return the names in a file; one that cannot be read is no reason not to look at the next."""
        try:
            return [*entries(read(path), path)]
        except ConfigError:
            return []

    def put(
        self, path: str, new: Mapping[str, JsonObject], *, replace: bool = False
    ) -> dict[str, Outcome]:
        """Add entries to a file; return what became of each.

        Raises:
            ConfigError: the file cannot be changed.
        """
        outcomes: dict[str, Outcome] = {}

        def edit(document: JsonObject) -> None:
            for name, entry in new.items():
                key = _key_of(document, name)
                servers = cast("JsonObject", document.setdefault(key, {}))
                if name not in servers:
                    outcomes[name] = "added"
                elif servers[name] == entry:
                    outcomes[name] = "same"
                else:
                    outcomes[name] = "replaced" if replace else "exists"
                if outcomes[name] != "exists":
                    servers[name] = entry

        self._change(path, edit)
        return outcomes

    def remove(self, place: Place) -> None:
        """Remove an entry.

        Raises:
            ConfigError: the file cannot be changed.
        """

        def edit(document: JsonObject) -> None:
            servers = document.get(_key_of(document, place.name))
            if isinstance(servers, dict):
                servers.pop(place.name, None)

        self._change(place.path, edit)

    def enable(self, place: Place, *, enabled: bool) -> None:
        """Switch a server on or off.

        Raises:
            ConfigError: the file cannot be changed, or its entry is not one.
        """

        def edit(document: JsonObject) -> None:
            servers = document.get(_key_of(document, place.name))
            entry = servers.get(place.name) if isinstance(servers, dict) else None
            if not isinstance(entry, dict):
                message = f"{place.path}: the server {shown(place.name)} must be an object"
                raise ConfigError(message)
            entry.pop("disabled", None)
            entry.pop("enabled", None)
            if not enabled:
                entry["enabled"] = False

        self._change(place.path, edit)

    def _change(self, path: str, edit: Callable[[JsonObject], None]) -> None:
        def checked(document: JsonObject) -> None:
            entries(document, path)
            edit(document)

        is_project = any(each == path and root is not None for each, root in paths(self._config))
        if is_project:
            refuse_links(path)
        mode = 0o644 if is_project else 0o600
        rewrite(path, checked, lock=self._config.own_path(LOCK), mode=mode)


def rewrite(
    path: str,
    edit: Callable[[JsonObject], None],
    *,
    lock: str,
    mode: int,
    by_hand: str = "Change it in an editor.",
) -> bool:
    """Change the document of a file, which may be a new one; return whether it has changed.

    `lock` is the file that says whose turn it is, `mode` that of a new file, and `by_hand` the hint for a
    file that only its owner can change.

    Raises:
        ConfigError: the file cannot be read or written, or has comments.
    """
    from kosmo_lua.config.files import replace, text_of, turn  # noqa: PLC0415  # only to write

    with turn(path, lock):
        text = text_of(path) if os.path.lexists(path) else ""
        document = parsed(text, path)
        before = json.dumps(document)
        edit(document)
        if json.dumps(document) == before:
            return False
        if has_comments(text):
            message = f"cannot change {path}: it has comments, which would be lost"
            raise ConfigError(message, hint=by_hand)
        replace(Path(path).resolve(), as_text(document), mode)
    return True


def as_text(document: Json) -> str:
    """Return a document as clients write it."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _key_of(document: JsonObject, name: str) -> str:
    """Return the key that an entry is below, or belongs to: as the file has it already."""
    for key in KEYS:
        servers = document.get(key)
        if isinstance(servers, dict) and name in servers:
            return key
    return next((key for key in KEYS if key in document), KEYS[0])


def refuse_links(path: str) -> None:
    """Return when a project's file is no link, nor its folder: a clone's would lead the change elsewhere.

    Raises:
        ConfigError: one of them is.
    """
    folder = os.path.dirname(path)
    own = os.path.basename(folder) in (".cursor", ".vscode")
    for each in (path, *((folder,) if own else ())):
        if os.path.islink(each):
            raise ConfigError(f"cannot change {path}: {each} is a link")
