"""Settings of accounts: the names that an integration gives them, and what no value can be."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import ConfigError
from kosmo_lua.suggestions import nearest

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Credentials, Integration

_QUOTES = "\"'`"


def spellings(integration: "Integration[Any]", setting: str) -> list[str]:
    """Return the names of a setting, its own first; of what is no setting, itself."""
    if setting not in integration.credentials.model_fields:
        return [setting]
    return [setting, *declared(integration, setting, "aliases")]


def spelled(
    integration: "Integration[Any]", name: str, written: Callable[[str], str] = str
) -> str:
    """Return the setting that a name, or an alias, means; `written` is how the user has written it.

    Raises:
        ConfigError: none; says which was meant.
    """
    settings = {
        name: setting
        for setting in integration.credentials.model_fields
        for name in spellings(integration, setting)
    }
    if name in settings:
        return settings[name]
    near = nearest(name, settings, most=1)
    fix = f"did you mean {written(near[0])}?" if near else f"use {', '.join(settings)}"
    raise ConfigError(f"{written(name)} is not a setting of {integration.title}: {fix}")


def declared(integration: "Integration[Any]", setting: str, kind: str) -> list[str]:
    """Return the other names of a setting: the vendor's variables (`env`) or `aliases`."""
    names = _extra(integration, setting, kind)
    return [str(name) for name in names] if isinstance(names, list) else []


def _extra(integration: "Integration[Any]", setting: str, key: str) -> object:
    """Return something else that a setting was declared with."""
    extra = integration.credentials.model_fields[setting].json_schema_extra
    return extra.get(key) if isinstance(extra, dict) else None


def checked(
    integration: "Integration[Any]", values: dict[str, str], sources: dict[str, str]
) -> "Credentials":
    """Return the credentials that these values make; `sources` says where each is from, for errors.

    Raises:
        ConfigError: a value cannot be used; it is not shown.
    """
    for setting, value in values.items():
        if wrong := _miscopied(integration, setting, value):
            hint = "Copy it again, without quotes or line breaks."
            raise ConfigError(f"{sources[setting]} {wrong}", hint=hint)
    found = _validated(integration, values)
    if isinstance(found, dict):
        setting, words = next(iter(found.items()))
        where = sources.get(setting, setting or f"the account of {integration.title}:")
        raise ConfigError(f"{where} {words}")
    return found


def unusable(integration: "Integration[Any]", setting: str, value: str) -> str:
    """Say why a setting cannot have a value, which is not shown, whatever the others are; "" when it can."""
    found = _validated(integration, {setting: value})
    wrong = found.get(setting, "") if isinstance(found, dict) else ""
    return _miscopied(integration, setting, value) or wrong


def _validated(
    integration: "Integration[Any]", values: dict[str, str]
) -> "Credentials | dict[str, str]":
    """Return the credentials, or what is wrong with which setting; "" is all of them together."""
    from pydantic import ValidationError  # noqa: PLC0415  # loaded with the integration, not before

    try:
        return integration.credentials(**values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
    found: dict[str, str] = {}
    for problem in problems:
        words = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        setting = str(problem["loc"][0]) if problem["loc"] else ""
        found.setdefault(setting, f"{words[:1].lower()}{words[1:]}")
    return found


def _miscopied(integration: "Integration[Any]", setting: str, value: str) -> str:
    """Say what a value has that came with it from where it was copied, if it has such a thing.

    A service may take whatever it gets: Segment answers 200 to any key.
    """
    if not (value.isascii() and value.isprintable()):
        return "contains characters that no key or address has"
    if len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES:
        return "is in quotes"  # as `docker --env-file` leaves them; no password is so by intention
    if _extra(integration, setting, "issued") and any(c in _QUOTES or c.isspace() for c in value):
        return f"contains a quote or white space, which no key of {integration.title} has"
    return ""
