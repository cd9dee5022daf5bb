"""Differences: what the nearest recorded call has that a call has not which was not recorded."""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kosmo_lua.calls.recording import Made
from kosmo_lua.values import HIDDEN, Json, JsonObject

COMPARED = 1000
"""So many recorded calls are looked at."""

_SHOWN = 3
_LONGEST = 60


class Recorded(NamedTuple):
    """A recorded call, and its line."""

    line: int
    made: Made


def explain(made: Made, recorded: Iterable[Recorded]) -> str:
    """Say what the nearest of the recorded calls of a function has that this call has not."""
    own = _facts(made)
    compared = [(_differences(own, _facts(each.made)), each.line) for each in recorded]
    if not compared:
        return "it was not recorded, and no other call of it was"
    differences, line = min(compared, key=lambda pair: len(pair[0]))
    if not differences:
        return f"it was recorded (line {line}), but not as often as it is made"
    more = len(differences) - _SHOWN
    rest = f", and {more} more" if more > 0 else ""
    what = ", ".join(differences[:_SHOWN]) + rest
    return f"it was not recorded; the nearest recorded call, in line {line}, differs: {what}"


def matches(recorded: Json, given: Json) -> bool:
    """Whether a value is the recorded one, in which a secret may be hidden."""
    if isinstance(recorded, dict) and isinstance(given, dict):
        fields = recorded.items()
        return len(recorded) == len(given) and all(
            _has(given, *field, recorded) for field in fields
        )
    if isinstance(recorded, list) and isinstance(given, list):
        pairs = zip(recorded, given, strict=False)
        return len(recorded) == len(given) and all(matches(*pair) for pair in pairs)
    if isinstance(recorded, str) and isinstance(given, str) and HIDDEN in recorded:
        return _fits(recorded.split(HIDDEN), given)
    return isinstance(recorded, bool) == isinstance(given, bool) and recorded == given


def _has(given: JsonObject, name: str, item: Json, recorded: JsonObject) -> bool:
    """Whether an object has a recorded field, whose name may hide a secret, too."""
    others = (each for each in given if each not in recorded and matches(name, each))
    return any(matches(item, given[each]) for each in ([name] if name in given else others))


def _fits(parts: list[str], text: str) -> bool:
    """Whether a text has these parts, in this order, from its beginning to its end."""
    at = len(parts[0])
    if not text.startswith(parts[0]):
        return False
    for part in parts[1:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(parts[-1]) and len(text) - len(parts[-1]) >= at


def _facts(made: Made) -> dict[str, str]:
    """Return everything about a call as texts: `traits.plan` is `"pro"`."""
    facts = {"account": made.account, **dict(_leaves(made.arguments, ""))}
    if made.page:
        facts["page"] = str(made.page)
    if made.queued:
        facts["queued in a batch"] = "true"
    return facts


def _leaves(value: Json, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value, 1):
            yield from _leaves(item, f"{path}[{index}]")
    elif path:
        yield path, json.dumps(value, ensure_ascii=False)


def _differences(own: dict[str, str], recorded: dict[str, str]) -> list[str]:
    changed = [
        f"{name} is {_short(own[name])} and was {_short(recorded[name])}"
        for name in own
        if name in recorded and own[name] != recorded[name]
    ]
    added = [f"{name} = {_short(own[name])} is new" for name in own if name not in recorded]
    gone = [name for name in recorded if name not in own]
    return changed + added + [f"{name} = {_short(recorded[name])} is missing" for name in gone]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
