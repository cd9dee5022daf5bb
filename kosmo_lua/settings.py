"""Settings of accounts: the names that an integration gives them, and what no value can be."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import ConfigError
from kosmo_lua.suggestions import nearest

if TYPE_CHECKING:  # importing it loads pydantic; here it is only named
    from kosmo_lua.integration import Credentials, Integration


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
    extra = integration.credentials.model_fields[setting].json_schema_extra
    names = extra.get(kind) if isinstance(extra, dict) else None
    return [str(name) for name in names] if isinstance(names, list) else []


def checked(
    integration: "Integration[Any]", values: dict[str, str], sources: dict[str, str]
) -> "Credentials":
    """Return the credentials that these values make; `sources` says where each is from, for errors.

    Raises:
        ConfigError: a value cannot be used; it is not shown.
    """
    from pydantic import ValidationError  # noqa: PLC0415  # loaded with the integration, not before

    for setting, value in values.items():
        if not (value.isascii() and value.isprintable()):
            message = f"{sources[setting]} contains characters that no key or address has"
            raise ConfigError(message, hint="Copy it again, without quotes or line breaks.")
    try:
        return integration.credentials(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        words = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
        name = str(problem["loc"][0])
        message = f"{sources[name]} {words[:1].lower()}{words[1:]}"
        raise ConfigError(message) from None
