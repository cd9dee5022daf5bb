"""Answer: what a service has answered to one request, whole."""

import json
from typing import NamedTuple

from pydantic_core import from_json

from kosmo_lua.http.library import httpx
from kosmo_lua.values import Json


class Answer(NamedTuple):
    """Status, headers and decoded body."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the service has done what it was asked."""
        return httpx.codes.is_success(self.status)

    @property
    def is_redirect(self) -> bool:
        """Whether it is elsewhere, or may be."""
        return httpx.codes.is_redirect(self.status)

    def json(self) -> Json:
        """Return the value that the body is the JSON of.

        Raises:
            ValueError, RecursionError: it is no JSON.
        """
        value: Json
        try:
            value = from_json(self.content, cache_strings="keys")  # values seldom come twice
        except ValueError:  # json takes more: half a surrogate pair, another encoding
            value = json.loads(self.content)
        return value
