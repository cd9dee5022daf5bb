"""read_object: the JSON object in the body of a request to the Tracking API, or why there is none."""

import json
import math
import zlib

from starlette.datastructures import Headers

from kosmo_lua.integration import Json, JsonObject
from kosmo_segment.emulator.errors import bad_request

_DEPTH = 100
"""Levels of nested JSON, far below what Python's recursion limit lets through."""


def read_object(headers: Headers, body: bytes, limit: int) -> JsonObject:
    """Return the object; its JSON has at most `limit` bytes, without the compression.

    Raises:
        Refused: the type, the compression or the size is wrong, or it is not such an object.
    """
    text = _decoded(headers, body, limit)
    try:
        value = json.loads(text.decode(), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise bad_request("invalid_json", "The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise bad_request("invalid_json", "The body must be a JSON object.")
    if _is_deeper(value, _DEPTH):
        raise bad_request("invalid_json", "The body is nested too deeply.")
    return value


def _decoded(headers: Headers, body: bytes, limit: int) -> bytes:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise bad_request("invalid_content_type", "Content-Type must be application/json.")
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding == "gzip":
        body = _unzipped(body, limit)
    elif encoding != "identity":
        raise bad_request("invalid_encoding", "Content-Encoding must be gzip or absent.")
    if len(body) > limit:
        raise bad_request("payload_too_large", f"The body must not exceed {limit} bytes.")
    return body


def _unzipped(body: bytes, limit: int) -> bytes:
    """The decompressed body, at most one byte beyond the limit."""
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error:
        plain = b""
    if len(plain) <= limit and not stream.eof:
        raise bad_request("invalid_encoding", "The body is not valid gzip.")
    return plain


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _is_deeper(value: JsonObject, depth: int) -> bool:
    level: list[JsonObject | list[Json]] = [value]
    for _ in range(depth):
        if not level:
            return False
        children = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for some in children for child in some if isinstance(child, dict | list)]
    return bool(level)
