"""Configuration: the user's own files, and the file of a project, which may only be stricter.

    config.toml        policy, limits, which integrations are enabled       in the user's folder
    credentials.toml   accounts                                             the same, for the user's eyes only
    audit.jsonl        what every run has called                            the same
    kosmo.toml         policy and limits that only tighten                  in a project

A project's file comes with a clone: whoever wrote it must not be able to grant a script anything, nor to lead
it to another server. So it has no accounts, no addresses and no commands, and no rule of it widens another.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self

from kosmo_lua.config.folders import (
    absolute,
    project_file,
    project_root,
    system_home,
    user_folder,
)
from kosmo_lua.errors import ConfigError, Denied

if TYPE_CHECKING:  # start-up
    from kosmo_lua.config.policy_rules import Rule

USER, PROJECT, CREDENTIALS = "config.toml", "kosmo.toml", "credentials.toml"
AUDIT, LOCK = "audit.jsonl", ".lock"

COMMAND, KEYRING = "cmd:", "keyring:"
"""What begins a stored setting that is not the value itself."""


class Source(NamedTuple):
    """A file and what it says."""

    path: str
    values: dict[str, object]


class Config:
    """What the files say. They are read when something is asked for, and checked then.

    Arguments:
        folder: the user's folder; None: there is none.
        project: the path of the project's file; None: there is none.
        root: the folder of the project, in which other tools keep their files; None: there is no project.
    """

    def __init__(
        self, folder: str | None = None, project: str | None = None, root: str | None = None
    ) -> None:
        self.folder = folder
        self.project_path = project
        self.root = root

    @classmethod
    def of(cls, environ: Mapping[str, str], directory: str | None = None) -> Self:
        """Return the configuration of an environment, and of the project that a directory belongs to.

        Raises:
            ConfigError: $KOSMO_HOME cannot be used.
        """
        if directory is None:
            return cls(user_folder(environ))
        return cls(user_folder(environ), project_file(directory), project_root(directory))

    @classmethod
    def of_user(cls, directory: str | None = None) -> Self:
        """Return the configuration of who runs this process, and of the project of a directory.

        Raises:
            ConfigError: $KOSMO_HOME cannot be used.
        """
        environ: Mapping[str, str] = os.environ
        if not environ.get("HOME"):  # a service may run without it: its user's rules hold, too
            environ = {**environ, "HOME": system_home()}
        return cls.of(environ, directory)

    @classmethod
    def here(cls) -> Self:
        """Return the configuration of this process, where it is now."""
        try:
            directory = os.getcwd()
        except FileNotFoundError:  # somebody has removed the folder; no project is there
            directory = None
        return cls.of_user(directory)

    def path(self, name: str) -> str | None:
        """Return where a file of the user is, or would be."""
        return os.path.join(self.folder, name) if self.folder else None

    def own_path(self, name: str) -> str:
        """Return where a file of the user belongs that is to be written.

        Raises:
            ConfigError: the user has no folder.
        """
        path = self.path(name)
        if path is None:
            message = f"there is no folder for {name}: neither KOSMO_HOME nor HOME names one"
            raise ConfigError(message, hint="Set KOSMO_HOME to a folder of your own.")
        return path

    @property
    def project_file(self) -> str:
        """The path of the project's file, or where a new one belongs: in the folder where we are.

        Raises:
            ConfigError: it was removed.
        """
        return self.project_path or absolute(PROJECT)

    @cached_property
    def user(self) -> Source:
        """The user's config.toml."""
        return self._read(self.path(USER), "user")

    @cached_property
    def project(self) -> Source:
        """The project's kosmo.toml."""
        return self._read(self.project_path, "project")

    @cached_property
    def credentials(self) -> Source:
        """The user's credentials.toml: of each integration its accounts, of each its settings."""
        return self._read(self.path(CREDENTIALS) or "", "credentials")

    @staticmethod
    def _read(path: str | None, kind: str) -> Source:
        if not path or not _exists(path):
            return Source(path or "", {})
        from kosmo_lua.config.files import read  # noqa: PLC0415  # tomllib, only for a file that exists
        from kosmo_lua.config.schema import check  # noqa: PLC0415  # the same

        return Source(path, check(read(path, secret=kind == "credentials"), path, kind))

    def check(self) -> None:
        """Read config.toml and kosmo.toml.

        Raises:
            ConfigError: one of them cannot be used.
        """
        _ = self.user, self.project

    def limit(self, name: str, given: float | None, default: float) -> float:
        """Return a limit: the given one, else the user's, else the default; no more than the project's."""
        own = _table(self.user, "limits").get(name, default) if given is None else given
        return min(_number(own), _number(_table(self.project, "limits").get(name, own)))

    def check_force(self) -> None:
        """Return when `--force` may be used.

        Raises:
            Denied: a file says `allow_force = false`.
        """
        for source in (self.user, self.project):
            if source.values.get("allow_force") is False:
                message = f"--force is refused: allow_force = false in {source.path}"
                raise Denied(message, hint="Allow what is needed in the policy instead.")

    def integrations(self) -> dict[str, object]:
        """Return what the user's file says about integrations, by their names."""
        return _table(self.user, "integrations")

    def mcp(self) -> dict[str, object]:
        """Return what the user's file says about MCP: `trust` of projects' servers, `force_trust`."""
        return _table(self.user, "mcp")

    def reread(self) -> None:
        """Forget what was read: the files have been changed."""
        for name in ("user", "project", "credentials"):
            self.__dict__.pop(name, None)

    def enabled(self, integration: str) -> bool:
        """Whether the integration may be used; only the user's file can say no."""
        settings = self.integrations().get(integration, {})
        return not isinstance(settings, dict) or settings.get("enabled", True) is not False

    def accounts(self, integration: str) -> dict[str, dict[str, object]]:
        """Return the stored accounts of an integration, each with its settings as they are stored."""
        accounts = _table(self.credentials, integration)
        return {name: dict(value) for name, value in accounts.items() if isinstance(value, dict)}

    def rules(self) -> "Iterator[tuple[Rule, bool]]":
        """Return every rule of the policy, and whether it is the project's."""
        from kosmo_lua.config.policy_rules import Rule  # noqa: PLC0415  # only for a call

        for source, is_project in ((self.user, False), (self.project, True)):
            for pattern, decision in _table(source, "policy").items():
                yield Rule.of(pattern, str(decision), source.path), is_project


def _exists(path: str) -> bool:
    """Whether there is a file, or a link. One that nobody may look at could hold a rule: that is an error."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    return True


def _table(source: Source, name: str) -> dict[str, object]:
    table = source.values.get(name, {})
    return table if isinstance(table, dict) else {}


def _number(value: object) -> float:
    assert isinstance(value, int | float), "it was checked"
    return value
