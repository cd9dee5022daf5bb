"""Validation by a stranger's JSON Schema, within bounds of time: its patterns and references may be traps.

The patterns run in a module that ends them; Python's own cannot be interrupted, by nobody in the process.
"""

from collections.abc import Callable, Iterator
from functools import cache
from threading import local
from time import monotonic
from typing import Any

import regex
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry

SECONDS = 1.0
"""For the arguments of one call."""

_clock = local()
"""When the check that this thread makes must be done."""

Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]


class TooSlow(Exception):
    """The schema takes too long."""


def problems(schema: dict[str, Any], arguments: Any) -> Iterator[ValidationError]:  # noqa: ANN401  # JSON
    """Yield what is wrong with the arguments.

    Raises:
        TooSlow: it takes longer than `SECONDS`.
        Exception: any other, if the schema makes no sense.
    """
    _clock.end = monotonic() + SECONDS
    kind = _bounded(validator_for(schema, default=Draft202012Validator))
    # An empty registry: else a reference of the schema would be fetched from wherever it points to.
    yield from kind(schema, registry=Registry()).iter_errors(arguments)


@cache
def _bounded(kind: type[Validator]) -> type[Validator]:
    """Return a validator whose keywords look at the clock."""
    own: dict[str, Keyword] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    # It would look for names with Python's patterns; the server knows what it takes.
    known = {n: k for n, k in kind.VALIDATORS.items() if n != "unevaluatedProperties"}
    bounded = {name: _timed(own.get(name, keyword)) for name, keyword in known.items()}
    bounded["unevaluatedProperties"] = lambda *_: None
    made: type[Validator] = extend(kind, bounded)  # type: ignore[no-untyped-call]  # it has no types
    return made


def _timed(keyword: Keyword) -> Keyword:
    def timed(validator: Any, asked: Any, value: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401  # jsonschema's signature
        _left()
        yield from keyword(validator, asked, value, schema) or ()

    return timed


def _left() -> float:
    left: float = _clock.end - monotonic()
    if left <= 0:
        raise TooSlow
    return left


def _has(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=_left()) is not None
    except TimeoutError:
        raise TooSlow from None


def _pattern(_: Any, asked: Any, value: Any, __: Any) -> Iterator[ValidationError]:  # noqa: ANN401  # as above
    if isinstance(value, str) and not _has(asked, value):
        yield ValidationError("does not match")


def _pattern_properties(
    validator: Any,  # noqa: ANN401  # as above
    asked: Any,  # noqa: ANN401  # as above
    value: Any,  # noqa: ANN401  # as above
    _: Any,  # noqa: ANN401  # as above
) -> Iterator[ValidationError]:
    for pattern, schema in asked.items() if isinstance(value, dict) else ():
        for name, item in value.items():
            if _has(pattern, name):
                yield from validator.descend(item, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any,  # noqa: ANN401  # as above
    asked: Any,  # noqa: ANN401  # as above
    value: Any,  # noqa: ANN401  # as above
    schema: Any,  # noqa: ANN401  # as above
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    patterns = schema.get("patternProperties", {})
    others = {*value} - {*schema.get("properties", {})}
    for name in sorted(others):
        if any(_has(pattern, name) for pattern in patterns):
            continue
        if asked is False:
            yield ValidationError("is not known")
            return
        yield from validator.descend(value[name], asked, path=name)
