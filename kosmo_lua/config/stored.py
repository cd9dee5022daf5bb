"""Stored settings of accounts: a value itself, a command that prints it, or a place in the system's keyring.

write_key = "abc"                           the value, in a file that only the user can read
write_key = "cmd:op read op://work/key"     the first line that this command prints
write_key = "keyring:"                      in the keyring, where `accounts:add --keyring` has put it
"""

from typing import TYPE_CHECKING

from kosmo_lua.config import COMMAND, KEYRING
from kosmo_lua.config.command import Tell, printed, words_of
from kosmo_lua.errors import ConfigError, ExtraMissing

if TYPE_CHECKING:
    from types import ModuleType


def check_value(value: str, setting: str) -> None:
    """Return when a value can be stored, whatever the command that it names may print.

    Raises:
        ConfigError: it names no command, or the keyring.
    """
    _check_keyring(value, setting)
    if value == KEYRING:
        raise ConfigError(f"{setting} has no value", hint="Use kosmo accounts:add --keyring.")
    if value.startswith(COMMAND):
        words_of(value.removeprefix(COMMAND), setting)


def resolve(stored: str, integration: str, account: str, setting: str, tell: Tell) -> str:
    """Return the value that a stored setting stands for.

    Raises:
        ConfigError: the command fails, the keyring is locked, or there is no such value.
        ExtraMissing: the keyring is not installed.
    """
    place = f"{setting} of the account {account} of {integration}"
    _check_keyring(stored, place)
    if stored.startswith(COMMAND):
        return printed(words_of(stored.removeprefix(COMMAND), place), place, tell)
    if stored == KEYRING:
        return _from_keyring(f"{integration}.{account}.{setting}", place)
    return stored


def keep_in_keyring(value: str, integration: str, account: str, setting: str) -> None:
    """Store a value in the system's keyring.

    Raises:
        ConfigError: it cannot be stored.
        ExtraMissing: the keyring is not installed.
    """
    place = f"{setting} of the account {account} of {integration}"
    keyring = _keyring()
    try:
        keyring.set_password("kosmo", f"{integration}.{account}.{setting}", value)
    except Exception as error:  # noqa: BLE001  # each system's keyring has errors of its own
        raise _locked(place, error) from None


def forget_in_keyring(integration: str, account: str, setting: str) -> None:
    """Remove a value from the keyring, if it is there.

    Raises:
        ConfigError: it is there, and cannot be removed.
        ExtraMissing: the keyring is not installed.
    """
    place = f"{setting} of the account {account} of {integration}"
    keyring, name = _keyring(), f"{integration}.{account}.{setting}"
    try:
        if keyring.get_password("kosmo", name) is not None:
            keyring.delete_password("kosmo", name)
    except Exception as error:  # noqa: BLE001  # each system's keyring has errors of its own
        raise _locked(place, error) from None


def _check_keyring(value: str, place: str) -> None:
    """Return when a value is no place in the keyring that nobody would look at, and that would be sent."""
    if value.startswith(KEYRING) and value != KEYRING:
        hint = f'Write only "{KEYRING}", and store the value itself with --keyring.'
        raise ConfigError(f"the {place} has text after {KEYRING}", hint=hint)


def _from_keyring(name: str, place: str) -> str:
    keyring = _keyring()
    try:
        value = keyring.get_password("kosmo", name)
    except Exception as error:  # noqa: BLE001  # each system's keyring has errors of its own
        raise _locked(place, error) from None
    if not value:
        message = f"the keyring has no {place}"
        raise ConfigError(message, hint="Store it again with kosmo accounts:add --keyring.")
    return str(value)


def _locked(place: str, error: Exception) -> ConfigError:
    message = f"the keyring cannot be used for the {place}: {type(error).__name__}"
    return ConfigError(message, hint="Unlock it, or store the value in a file or as a command.")


def _keyring() -> "ModuleType":
    try:
        import keyring  # noqa: PLC0415  # an extra
    except ImportError:
        message = "the keyring needs the package keyring, which is not installed"
        raise ExtraMissing(message, hint='pip install "kosmo-lua[keyring]"') from None
    return keyring
