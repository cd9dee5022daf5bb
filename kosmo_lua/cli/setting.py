"""Settings of accounts as commands get them: `name=value`, JSON, or typed without being shown."""

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from kosmo_lua.cli.usage import refused
from kosmo_lua.config import COMMAND
from kosmo_lua.settings import spelled

if TYPE_CHECKING:
    from kosmo_lua.integration import Integration


def pairs(given: tuple[str, ...], option: str) -> dict[str, str]:
    """Read `name=value` of an option.

    Raises:
        click.UsageError: one has no name, or a name comes twice.
    """
    settings: dict[str, str] = {}
    for pair in given:
        name, found, value = pair.partition("=")
        if not found or not name.strip():
            raise refused(f"{option} takes name=value")  # not what was given: it may be a secret
        if name.strip() in settings:
            raise refused(f"{option} {name.strip()} was given twice")
        settings[name.strip()] = value.strip()
    return settings


def object_from_stdin() -> dict[str, Any]:
    """Read a JSON object from stdin.

    Raises:
        click.UsageError: it is closed, or has something else.
    """
    return _object(_stdin())


def settings_from_stdin(*, required: bool) -> dict[str, str]:
    """Read settings from stdin: a JSON object, or lines `name=value`; none, where they are not required.

    Raises:
        click.UsageError: it has something else.
    """
    text = _stdin(required=required)
    if not text.lstrip().startswith("{"):
        return pairs(tuple(line for line in text.splitlines() if line.strip()), "stdin")
    settings = _object(text)
    if any(not isinstance(value, str) for value in settings.values()):
        raise refused("stdin: every setting must be a text")
    return settings


def prompted(integration: "Integration[Any]", given: Iterable[str]) -> dict[str, str]:
    """Ask on the terminal for the settings that were not given; once some were, for the secrets only.

    Secrets are not shown, and Enter leaves a setting out.
    """
    settings = {}
    for name, field in integration.credentials.model_fields.items():
        if name in given or (given and not integration.credentials.is_secret(name)):
            continue
        click.echo(f"{name}: {field.description}", err=True)
        secret = integration.credentials.is_secret(name)
        value = click.prompt(
            f"  {name}", default="", show_default=False, hide_input=secret, err=True
        )
        if value.strip():
            settings[name] = value.strip()
    return settings


def warnings_of(integration: "Integration[Any]", settings: dict[str, str]) -> list[str]:
    """Say which secrets have been given where others can see them."""
    shown = [n for n in settings if integration.credentials.is_secret(spelled(integration, n))]
    return [
        f"{name} was given on the command line, where other users and the shell's history see it:"
        " use accounts:add or --stdin-json"
        for name in shown
        if not settings[name].startswith(COMMAND)
    ]


def _stdin(*, required: bool = True) -> str:
    is_open = sys.stdin is not None and not sys.stdin.closed
    try:
        text = sys.stdin.buffer.read().decode() if is_open else ""
    except (OSError, UnicodeDecodeError):
        raise refused("stdin cannot be read as UTF-8") from None
    if required and not text.strip():
        what = "empty" if is_open else "closed"
        raise refused(f"stdin is {what}: give the settings there, as JSON or as lines name=value")
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
    names = [name for name, _ in pairs]
    for name in {*names}:
        if names.count(name) > 1:
            raise refused(f"stdin: {name} was given twice")
    return dict(pairs)
