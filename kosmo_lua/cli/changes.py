"""What `integrations:configure --stdin-json` reads: the changes, as one JSON object."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from kosmo_lua.cli.setting import object_from_stdin
from kosmo_lua.cli.usage import refused
from kosmo_lua.suggestions import nearest


class _Changes(BaseModel):
    """What it may have."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    account: str | None = None
    scope: Literal["global", "project"] | None = None
    set: dict[str, str] = {}
    credentials: dict[str, str] = {}
    unset: list[str] = []
    enabled: bool | None = None
    permissions: dict[Literal["read", "write"], Literal["allow", "ask", "deny"]] = {}


def from_stdin() -> dict[str, Any]:
    """Read the changes, under the names of the options.

    Raises:
        click.UsageError: stdin is closed, or says something else.
    """
    try:
        given = _Changes(**object_from_stdin())
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key, *inside = map(str, problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = nearest(key, _Changes.model_fields, most=1)
            fix = f"did you mean {near[0]}?" if near else f"use {', '.join(_Changes.model_fields)}"
            raise refused(f"stdin: unknown key: {fix}") from None
        words = problem["msg"].removeprefix("Input ")
        raise refused(f"stdin: {f'a value of {key}' if inside else key} {words}") from None
    change = given.model_dump(exclude_unset=True, exclude_none=True)
    if scope := change.pop("scope", None):
        change["project"] = scope == "project"
    if credentials := change.pop("credentials", None):
        change["set"] = both("set", given.set, credentials)
    return change


def both(name: str, option: Any, given: Any) -> Any:  # noqa: ANN401  # values of one kind
    """Return what an option and stdin say together: a list of both, or the one that says something."""
    if isinstance(option, dict) and not {*option} & {*given}:
        return {**option, **given}
    if isinstance(option, list):
        return [*option, *given]
    if option and option != given:
        raise refused(f"{name} is given as an option and on stdin")
    return given
