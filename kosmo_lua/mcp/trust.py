"""Trust: whether the user has approved of an MCP server that a project's file defines.

The project's file came with a clone: its command would run with the user's rights. So what is approved is
kept in the user's config.toml, as the fingerprint of what was seen, and holds until that changes:

    [mcp.trust."/home/me/project"]
    github = "sha256:..."
"""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from kosmo_lua.config import LOCK, USER, Config
from kosmo_lua.errors import ConfigError, Untrusted
from kosmo_lua.mcp.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from kosmo_lua.config.files import Document

FORCE = "KOSMO_MCP_ALLOW_FORCE"

State = Literal["own", "trusted", "changed", "untrusted"]


def fingerprint(server: Server) -> str:
    """Return the fingerprint of what would be run, or reached: as it is written, references and all."""
    facts = {
        "command": server.command,
        "args": [*server.args],
        "env": dict(server.env),
        "cwd": server.cwd,
        "url": server.url,
        "headers": dict(server.headers),
    }
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


class Trust:
    """Tells which servers may be started and reached, and keeps what the user has approved of.

    `forced` (`--force`) lifts it only where the user says so: `force_trust = true` below `[mcp]` in the own
    config.toml, or KOSMO_MCP_ALLOW_FORCE=1.
    """

    def __init__(
        self, config: Config, environ: Mapping[str, str], *, forced: bool = False
    ) -> None:
        self._config = config
        self._environ = environ
        self._forced = forced

    def check(self, server: Server) -> None:
        """Return when the server may be started, or reached.

        Raises:
            Untrusted: the user has not approved of it, or of something else.
        """
        state = self.state(server)
        if state in ("own", "trusted") or (self._forced and self.may_be_forced):
            return
        from shlex import quote  # noqa: PLC0415  # only for an error

        what = "has changed since it was trusted" if state == "changed" else "is not trusted"
        hint = f"Review {server.source}, then run: kosmo mcp:trust {quote(server.handle)}"
        raise Untrusted(f"the project's MCP server {server.name} {what}", hint=hint)

    @property
    def may_be_forced(self) -> bool:
        """Whether `--force` lifts trust."""
        by_file = self._config.mcp().get("force_trust") is True
        return by_file or self._environ.get(FORCE, "").strip() == "1"

    def state(self, server: Server) -> State:
        """Return how things are: `own` servers of the user need no trust."""
        if server.project is None:
            return "own"
        stored = self._stored(server.project).get(server.name)
        if stored is None:
            return "untrusted"
        return "trusted" if stored == fingerprint(server) else "changed"

    def _stored(self, project: str) -> Mapping[str, object]:
        trust = self._config.mcp().get("trust", {})
        servers = trust.get(project, {}) if isinstance(trust, dict) else {}
        return servers if isinstance(servers, dict) else {}

    def grant(self, server: Server) -> None:
        """Trust the server of a project as it is now.

        Raises:
            ConfigError: the user's file cannot be changed.
        """
        if server.project is not None:
            self.keep(server.project, server.name, fingerprint(server))

    def revoke(self, server: Server) -> None:
        """Trust the server of a project no longer.

        Raises:
            ConfigError: the user's file cannot be changed.
        """
        if server.project is not None:
            self.forget(server.project, server.name)

    def keep(self, project: str, name: str, value: str) -> None:
        """Store a fingerprint.

        Raises:
            ConfigError: the user's file cannot be changed.
        """
        if not project.isprintable():
            message = f"the folder {project!a} has a name that cannot be written to {USER}"
            raise ConfigError(message, hint="Rename it.")

        def edit(document: "Document") -> None:
            mcp = document.setdefault("mcp", {})
            mcp.setdefault("trust", {}).setdefault(project, {})[name] = value

        self._change(edit)

    def forget(self, project: str, name: str) -> None:
        """Remove a fingerprint, if there is one."""
        if name not in self._stored(project):
            return

        def edit(document: "Document") -> None:
            trust = document.get("mcp", {}).get("trust", {})
            trust.get(project, {}).pop(name, None)
            if not trust.get(project, True):
                trust.pop(project)

        self._change(edit)

    def _change(self, edit: "Callable[[Document], None]") -> None:
        from kosmo_lua.config.files import change  # noqa: PLC0415  # only to write
        from kosmo_lua.config.schema import check  # noqa: PLC0415  # the same

        path, lock = self._config.own_path(USER), self._config.own_path(LOCK)
        change(path, edit, check=lambda values: check(values, path, "user"), lock=lock)
        self._config.reread()
