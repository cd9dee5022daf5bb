"""Settings of accounts as commands get them: `name=value`, JSON, or typed without being shown.

Nothing that stdin held is ever shown, a name neither: a key alone, in Base64, looks like `name=value`.
"""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.cli.usage import refused
from kosmo_lua.config import COMMAND
from kosmo_lua.errors import ConfigError
from kosmo_lua.settings import spelled, unusable

if TYPE_CHECKING:
    from kosmo_lua.integration import Integration


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """Read `name=value` of an option.

    Raises:
        click.UsageError: one has no name, or a name comes twice.
    """
    settings: dict[str, str] = {}
    for name, value in (_pair(text, option) for text in given):
        if name in settings:
            raise refused(f"{option} {name} was given twice")
        settings[name] = value
    return settings


def _pair(text: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.strip():
        raise refused(f"{option} takes name=value")  # not what was given: it may be a secret
    return name.strip(), value.strip()


def object_from_stdin() -> dict[str, Any]:
    """Read the object of changes from stdin.

    Raises:
        click.UsageError: it is closed, or has something else.
    """
    return _object(_stdin("the changes there, as a JSON object"))


def settings_from_stdin(
    integration: "Integration[Any]", what: str, *, required: bool
) -> dict[str, str]:
    """Read settings from stdin: a JSON object, or lines `name=value`; none, where they are not required.

    `what` is missing when there are none.

    Raises:
        click.UsageError: it has something else.
        ConfigError: it names what is no setting.
    """
    text = _stdin(f"{what} there, as JSON or as lines name=value", required=required)
    if text.lstrip().startswith("{"):
        settings = _object(text)
    else:
        lines = [line for line in text.splitlines() if line.strip()]
        settings = _without_twins([_pair(line, "stdin") for line in lines])
    check_names(integration, settings)
    if any(not isinstance(value, str) for value in settings.values()):
        raise refused("stdin: every setting must be a text")
    return settings


def check_names(integration: "Integration[Any]", names: Iterable[str]) -> None:
    """Return when stdin names settings only.

    Raises:
        ConfigError: it names something else; says what may have been meant.
    """
    given = {*names}
    for name in given:
        spelled(integration, name, lambda each: "a name on stdin" if each in given else each)


def prompted(integration: "Integration[Any]", given: Iterable[str]) -> dict[str, str]:
    """Ask on the terminal for the settings that were not given; once some were, for the secrets only.

    Secrets are not shown, and Enter leaves a setting out.
    """
    settings = {}
    for name, field in integration.credentials.model_fields.items():
        if name in given or (given and not integration.credentials.is_secret(name)):
            continue
        click.echo(f"{name}: {field.description}", err=True)
        if value := _typed(integration, name):
            settings[name] = value
    return settings


def _typed(integration: "Integration[Any]", name: str) -> str:
    """Ask for a setting until it can be one."""
    secret = integration.credentials.is_secret(name)
    while True:
        value: str = click.prompt(
            f"  {name}", default="", show_default=False, hide_input=secret, err=True
        )
        value = value.strip()
        wrong = _problem(integration, name, value) if value else ""
        if not wrong:
            return value
        click.echo(f"  {wrong}", err=True)


def _problem(integration: "Integration[Any]", name: str, value: str) -> str:
    """Say why a setting cannot have a value; what depends on others is told when all are there."""
    from kosmo_lua.config.stored import check_value  # noqa: PLC0415  # start-up: not for --help

    try:
        check_value(value, name)
    except ConfigError as error:
        return error.message
    wrong = "" if value.startswith(COMMAND) else unusable(integration, name, value)
    return f"{name} {wrong}" if wrong else ""


def warnings_of(integration: "Integration[Any]", settings: dict[str, str]) -> list[str]:
    """Say which secrets have been given where others can see them."""
    shown = [n for n in settings if integration.credentials.is_secret(spelled(integration, n))]
    return [
        f"{name} was given on the command line, where other users and the shell's history see it:"
        " use accounts:add or --stdin-json"
        for name in shown
        if not settings[name].startswith(COMMAND)
    ]


def _stdin(wanted: str, *, required: bool = True) -> str:
    is_open = sys.stdin is not None and not sys.stdin.closed
    try:
        text = sys.stdin.buffer.read().decode() if is_open else ""
    except (OSError, UnicodeDecodeError):
        raise refused("stdin cannot be read as UTF-8") from None
    if required and not text.strip():
        what = "empty" if is_open else "closed"
        raise refused(f"stdin is {what}: give {wanted}")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_without_twins)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise refused(f"stdin is not valid JSON: {at}") from None
    except (ValueError, RecursionError):
        raise refused(
            "stdin is JSON that nobody means: a huge number, or nested too deeply"
        ) from None
    if not isinstance(value, dict):
        raise refused("stdin must be a JSON object")
    return value


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a name that comes twice JSON would keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise refused("stdin: a name was given twice")
    return found
