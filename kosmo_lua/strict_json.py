"""Strict JSON: what people write into files and command lines, and in plain words what is wrong with it."""

import json
from typing import Any

from kosmo_lua.values import Json, JsonObject


def parse(text: str | bytes) -> Json:
    """Parse JSON in which nothing is left to guess.

    Raises:
        ValueError: it is not JSON, an object has a name twice, a number is too long, a text is no Unicode; it
            says so in plain words.
    """
    if not text.strip():
        raise ValueError("it is empty")
    try:
        text = text if isinstance(text, str) else text.decode("utf-8-sig")
        value: Json = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole
        )
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        problem = "it is nested too deeply"
    except UnicodeDecodeError:
        problem = "it is not valid UTF-8"
    except UnicodeEncodeError as error:
        problem = f"\\u{ord(error.object[error.start]):04x} alone is no character"
    except json.JSONDecodeError as error:
        words = error.msg.removesuffix(" at")
        place = f"line {error.lineno}, column {error.colno}"
        problem = f"{words[:1].lower()}{words[1:]} in {place}"
    else:
        return value
    raise ValueError(problem)


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # Python says how a program lets it take longer ones
        message = f"a number of {len(digits):,} digits is too long"
        raise ValueError(message) from None


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen = set[str]()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # None
        message = f"{twice[:60]!a} is there twice"
        raise ValueError(message)
    return made


def _no_number(name: str) -> Json:
    message = f"{name} is no number of JSON"
    raise ValueError(message)
