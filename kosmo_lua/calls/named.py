"""Arguments without names get those of the parameters."""

from kosmo_lua.catalog import Target
from kosmo_lua.errors import InvalidArguments
from kosmo_lua.values import Json, JsonObject


def named(target: Target, values: list[Json]) -> JsonObject:
    """Give positional values the names of the parameters."""
    names = _parameters(target)
    if len(values) > len(names):
        takes = f"{len(names)} arguments ({', '.join(names)})" if names else "no arguments"
        message = f"it takes {takes}, got {len(values)}"
        raise InvalidArguments(message)
    return {name: value for name, value in zip(names, values, strict=False) if value is not None}


def not_named(target: Target, arguments: Json) -> InvalidArguments:
    """Return the error of arguments that should have names."""
    names = ", ".join(f"{name} = ..." for name in _parameters(target)[:2])
    kind = "a list" if isinstance(arguments, list) else "one value"
    message = f"arguments are a table with names, such as {{{names}}}, got {kind}"
    return InvalidArguments(message)


def _parameters(target: Target) -> list[str]:
    properties = target.function.schema().get("properties")
    return [*properties] if isinstance(properties, dict) else []
