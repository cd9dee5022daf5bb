"""What a dry run has prepared and does not do: a request, and a write of a script."""

from typing import NamedTuple

from kosmo_lua.values import Json


class PlannedRequest(NamedTuple):
    """A request as it would go over the wire, its secrets masked. `body` is JSON, or text, or None."""

    method: str
    url: str
    headers: dict[str, str]
    body: Json

    @property
    def writes(self) -> bool:
        """Whether it may change something at the service."""
        return self.method not in ("GET", "HEAD")


class NotSent(BaseException):  # not an Exception: no adapter shall take it for a failure and go on
    """Ends a call of a dry run where its first request would be sent."""

    def __init__(self, request: PlannedRequest) -> None:
        super().__init__(f"{request.method} {request.url}")
        self.request = request


class PlannedWrite:
    """What a write of a script returns in a dry run: in Lua a table of which only `dry_run` can be read."""

    def __init__(self, function: str) -> None:
        self.function = function
