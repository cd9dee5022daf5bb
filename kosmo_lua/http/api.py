"""Api: sends requests with the credentials of one account."""

import json
from collections.abc import Sequence
from threading import local
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic_core import to_json

from kosmo_lua.dry_run import NotSent
from kosmo_lua.http.connections import Connections
from kosmo_lua.http.event import BatchLimits, Event
from kosmo_lua.http.exchange import READS, Exchange
from kosmo_lua.http.failures import impossible
from kosmo_lua.http.library import httpx
from kosmo_lua.http.masking import conceal, masked, planned
from kosmo_lua.http.rates import Limiter, Rate
from kosmo_lua.http.sending import Sending
from kosmo_lua.values import Json, JsonObject

READ_SECONDS = 30.0

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""After these statuses a request may succeed when it is sent again."""

_NEVER = frozenset[int]()
_STRICT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ANY = Rate("any")


class HasSecrets(Protocol):
    """What credentials are here: something with secrets."""

    def secrets(self) -> list[str]:
        """Return the secret values, the longest first."""


C = TypeVar("C", bound=HasSecrets)


class Api(Generic[C]):
    """Sends requests with the credentials of one account. Subclass it for a service.

    Several threads may use it at once, each for a call of its own: what a subclass keeps must bear that.
    `read_seconds` is how long the service may be silent, 30 by default; a connection gets 5.
    """

    title = "The service"
    read_seconds = READ_SECONDS
    batches: ClassVar[BatchLimits] = BatchLimits(0, 0, 0)
    """How much one request of `deliver_batch` may hold, of a service that takes events in batches."""

    def __init__(self, credentials: C) -> None:
        self.credentials = credentials
        self._connections = Connections(self.read_seconds)
        self._of_thread = local()
        self._limiters: dict[str, Limiter] = {}

    @property
    def exchange(self) -> Exchange:
        """What the call that this thread makes has sent so far."""
        exchange: Exchange = self._of_thread.exchange
        return exchange

    @property
    def warnings(self) -> list[str]:
        """Sentences for the envelope; the call path collects them after each call."""
        return self.exchange.warnings

    def new_id(self) -> str:
        """Return a UUID for what the call sends: the same one when a run is repeated by its ID."""
        return self.exchange.identity.new_id()

    def now(self) -> str:
        """Return the time of what the call sends, ISO 8601 in UTC: that of the run, when it is repeated."""
        return self.exchange.identity.now()

    def begin(self, exchange: Exchange) -> None:
        """Begin a call on this thread. The call path does so before each."""
        self._of_thread.exchange = exchange

    def deliver(self, event: Event) -> None:
        """Send one event alone, for a function that returns an Event."""
        raise NotImplementedError

    def deliver_batch(self, events: Sequence[bytes]) -> None:
        """Send events, each encoded, in one request, for a service that has `batches`.

        Raises:
            KosmoError: none of them was accepted, or nobody knows.
        """
        raise NotImplementedError

    def explain(self, body: JsonObject) -> str | None:  # noqa: ARG002  # for subclasses
        """Return the service's own words from the body of an error."""
        return None

    def advise(self, status: int) -> str | None:  # noqa: ARG002  # for subclasses
        """Return what to do about an error answer, where the service is known to mean more by it."""
        return None

    def asked_wait(self, body: JsonObject) -> float | None:  # noqa: ARG002  # for subclasses
        """Return the seconds that the body of a 429 asks to wait, where no header says it."""
        return None

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def conceal(self, text: str) -> str:
        """Return the text without the account's secrets: plain, in a URL, in JSON or in a Basic header."""
        return conceal(text, self.credentials.secrets())

    def masked(self, value: Json) -> Json:
        """Return JSON without the account's secrets, also without short ones that are a whole text."""
        return masked(value, self.credentials.secrets())

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
        repeat_on: frozenset[int] | None = None,
        rate: Rate = _ANY,
    ) -> Json:
        """Send one request and return the JSON of its answer (None for an empty one).

        A request that could not leave the machine is tried again, and one that was refused with 429. After
        other failures it is sent again, the same bytes, only where that is harmless: `repeat_on` has the
        statuses after which it is; it is then repeated after a lost answer, too. By default that holds for
        reads, and for no write.

        Raises:
            Unreachable, TimedOut: no answer; `effect` says whether the request left.
            RateLimited, ServiceError: the service answered with an error, or not with JSON.
            NotSent: instead of sending anything, in a dry run.
        """
        request = self._request(method, url, headers=headers, query=query, content=content)
        if self.exchange.dry_run:
            raise NotSent(planned(request, self.credentials.secrets()))
        if repeat_on is None:
            repeat_on = TRANSIENT if method in READS else _NEVER
        sending = Sending(
            self,
            request,
            connections=self._connections,
            limiter=self._limiter(rate),
            repeat_on=repeat_on,
        )
        return sending.send()

    def _request(self, method: str, url: str, **parts: Any) -> httpx.Request:  # noqa: ANN401  # those of Connections
        try:
            return self._connections.request(method, url, **parts)
        except UnicodeEncodeError:  # not of the address
            raise
        except (httpx.InvalidURL, UnicodeError) as error:
            raise impossible(url, error) from None

    def _limiter(self, rate: Rate) -> Limiter:
        return self._limiters.get(rate.name) or self._limiters.setdefault(rate.name, Limiter(rate))


def encode(body: JsonObject) -> bytes:
    """Return a body as it goes over the wire: compact UTF-8 JSON.

    Raises:
        ValueError: it holds something that JSON cannot.
    """
    content = to_json(body)
    if b"NaN" in content or b"Infinity" in content:  # a number, which is no JSON, or a text
        return _STRICT.encode(body).encode()
    return content
