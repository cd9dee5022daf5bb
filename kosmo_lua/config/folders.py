"""Where the files of the configuration are."""

import os
import sys
from collections.abc import Mapping

from kosmo_lua.errors import ConfigError


def user_folder(environ: Mapping[str, str]) -> str | None:
    """Return the user's folder: $KOSMO_HOME, else `kosmo` where the system keeps configuration.

    An environment of an embedder's own (`Kosmo(environ={...})`) has only what it names: no file of the user
    who runs the program is read for its tenants.

    Raises:
        ConfigError: $KOSMO_HOME is a relative path.
    """
    if home := environ.get("KOSMO_HOME"):
        if not os.path.isabs(home):
            # Else a cloned repository could bring a folder of that name, with rules that grant it everything.
            raise ConfigError("KOSMO_HOME must be an absolute path", hint="Write it from / on.")
        return home
    variable = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    for base in (environ.get(variable, ""), os.path.join(environ.get("HOME", ""), ".config")):
        if os.path.isabs(base):
            return os.path.join(base, "kosmo")
    return None


def system_home() -> str:
    """Return the home folder that the system has for the user of this process; empty: it knows none."""
    try:
        import pwd  # noqa: PLC0415  # not on Windows
    except ImportError:
        return os.path.expanduser("~")
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container with a user of its own
        return ""


def project_file(directory: str) -> str | None:
    """Return the nearest kosmo.toml: of the directory or one above it, up to the root of its repository."""
    directory = os.path.abspath(directory)
    while True:
        path = os.path.join(directory, "kosmo.toml")
        if os.path.lexists(path):  # a link that leads nowhere is an error, and not no file
            return path
        above = os.path.dirname(directory)
        if above == directory or os.path.exists(os.path.join(directory, ".git")):
            return None
        directory = above


def project_root(directory: str) -> str:
    """Return the root of the repository that a directory is in; of none, the directory itself."""
    directory = above = os.path.abspath(directory)
    while True:
        if os.path.exists(os.path.join(above, ".git")):
            return above
        below, above = above, os.path.dirname(above)
        if above == below:
            return directory


def absolute(path: str) -> str:
    """Return a path from the root on, as it is now.

    Raises:
        ConfigError: it is relative to a folder that is gone.
    """
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        message = f"{path} leads nowhere: the current folder was removed"
        raise ConfigError(message, hint="Change to a folder that is there.") from None
