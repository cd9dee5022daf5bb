"""JSON text at the border of Lua, in both directions.

Text is what crosses: it is exact, it is safe near the memory limit, and it leaves no Python object in Lua.
"""

import json
from typing import Any

from kosmo_lua.values import Json


def from_lua(text: bytes) -> Any:  # noqa: ANN401  # JSON, whose shape the caller knows
    """Decode what the sandbox encoded."""
    return json.loads(text)


def to_lua(value: Json) -> bytes:
    """Encode a value for the sandbox.

    A service may send what is no JSON value for Lua: lone surrogates become U+FFFD, and NaN and infinities,
    which Python's parser lets through, become null.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


def _finite(value: Json) -> Json:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124  # NaN
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
