"""Masking: texts and requests without the secrets of an account."""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from kosmo_lua.dry_run import PlannedRequest
from kosmo_lua.http.library import httpx
from kosmo_lua.values import HIDDEN, Json

SHORTEST_SECRET = 6
"""What is shorter is no key of a service, and may be a part of any word."""


def conceal(text: str, secrets: Sequence[str]) -> str:
    """Return the text without the secrets: plain, in a URL, in JSON or in a Basic header."""
    for secret in secrets:
        if len(secret) < SHORTEST_SECRET:
            continue
        for spelling in _spellings(secret):
            text = text.replace(spelling, HIDDEN)
    return text


@lru_cache(maxsize=64)  # a recording looks for them in every text
def _spellings(secret: str) -> tuple[str, ...]:
    basic = b64encode(f"{secret}:".encode()).decode("ascii")
    return basic, quote(secret, safe=""), json.dumps(secret)[1:-1], secret


def planned(request: httpx.Request, secrets: Sequence[str]) -> PlannedRequest:
    """Return what would be sent, without a secret in it, however short."""
    headers = {name.decode(): value.decode() for name, value in request.headers.raw}
    scheme, _, credentials = headers.get("Authorization", "").partition(" ")
    if credentials:
        headers["Authorization"] = f"{scheme} {HIDDEN}"
    try:
        body: Json = json.loads(request.content) if request.content else None
    except ValueError:
        body = request.content.decode("utf-8", "replace")
    hidden = {name: str(masked(value, secrets)) for name, value in headers.items()}
    url = conceal(str(request.url), secrets)
    return PlannedRequest(request.method, url, hidden, masked(body, secrets))


def masked(value: Json, secrets: Sequence[str]) -> Json:
    """Return a JSON value without the secrets, also without a short one where it is a whole text."""
    if isinstance(value, dict):
        return {str(masked(name, secrets)): masked(item, secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [masked(item, secrets) for item in value]
    if isinstance(value, str):
        return HIDDEN if value in secrets else conceal(value, secrets)
    return value
