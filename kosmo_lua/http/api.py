"""Api: sends requests with the credentials of one account."""

import json
from collections.abc import Callable, Sequence
from threading import Lock, local
from typing import ClassVar, Generic, Protocol, TypeVar

import httpx

from kosmo_lua.dry_run import NotSent
from kosmo_lua.errors import KosmoError, RateLimited, ServiceError
from kosmo_lua.http.connections import Connections, read_whole
from kosmo_lua.http.event import BatchLimits, Event
from kosmo_lua.http.exchange import Exchange
from kosmo_lua.http.failures import no_answer, refused, shorten, text_of, wait_of, words_of
from kosmo_lua.http.masking import conceal, masked, planned
from kosmo_lua.http.rates import Limiter, Rate
from kosmo_lua.values import Json, JsonObject

READ_SECONDS = 30.0

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""After these statuses a request may succeed when it is sent again."""

_READS = ("GET", "HEAD")
_ANY = Rate("any")


class HasSecrets(Protocol):
    """What credentials are here: something with secrets."""

    def secrets(self) -> list[str]:
        """Return the secret values, the longest first."""


C = TypeVar("C", bound=HasSecrets)


class Api(Generic[C]):
    """Sends requests with the credentials of one account. Subclass it for a service.

    Several threads may use it at once, each for a call of its own: what a subclass keeps must bear that.
    `read_seconds` is how long an answer may take, 30 by default; a connection gets 5.
    """

    title = "The service"
    read_seconds = READ_SECONDS
    batches: ClassVar[BatchLimits] = BatchLimits(0, 0, 0)
    """How much one request of `deliver_batch` may hold, of a service that takes events in batches."""

    def __init__(self, credentials: C) -> None:
        self.credentials = credentials
        self.lock = Lock()
        """For what a subclass finds out once and keeps."""
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
        """Return a JSON value without the account's secrets, also without short ones that are a whole text."""
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
        other failures it is sent again only where that is harmless: `repeat_on` has the statuses after which it
        is; it is then repeated after a lost answer, too. By default that holds for reads, and for no write.

        Raises:
            Unreachable, TimedOut: no answer; `effect` says whether the request left.
            RateLimited, ServiceError: the service answered with an error, or not with JSON.
            NotSent: instead of sending anything, in a dry run.
        """
        request = self._connections.client.build_request(
            method, url, headers=headers, params=query, content=content
        )
        if self.exchange.dry_run:
            raise NotSent(planned(request, self.credentials.secrets()))
        if repeat_on is None and method in _READS:
            repeat_on = TRANSIENT
        limiter = self._limiter(rate)
        answer = self._persist(lambda: self._attempt(request, limiter), repeat_on)
        if repeat_on and method not in _READS:
            self.exchange.settle()
        return answer

    def _persist(self, attempt: Callable[[], Json], repeat_on: frozenset[int] | None) -> Json:
        """Make attempts until one succeeds, or the failure is final."""

        def may_repeat(error: BaseException) -> bool:
            return _may_repeat(error, repeat_on)

        try:
            try:
                return attempt()
            except KosmoError as failure:
                if not (self.exchange.retry_budget and may_repeat(failure)):
                    raise
                from kosmo_lua.http.retries import again  # noqa: PLC0415  # 30 ms, only after a failure

                return again(attempt, failure, self.exchange, may_repeat)
        except KosmoError as failure:
            if self.exchange.attempts > 1:
                failure.message = f"{failure.message} (tried {self.exchange.attempts} times)"
            failure.hint = failure.hint or self._hint(failure)
            raise failure from None

    def _hint(self, failure: KosmoError) -> str | None:
        if self.exchange.writes and self.exchange.effect == "unknown":
            return "The write may or may not have happened; check before you send it again."
        if failure.effect == self.exchange.effect == "none":
            return "Check the network and the address; nothing was sent."
        return None

    def _attempt(self, request: httpx.Request, limiter: Limiter) -> Json:
        """Send a request once, as soon as the rate of the service allows."""
        self._wait(limiter)
        exchange = self.exchange
        exchange.begin()
        try:
            response = read_whole(self._connections.client.send(request, stream=True), self.title)
        except httpx.RequestError as error:
            failure = no_answer(error, str(request.url), self.title, self.read_seconds)
            exchange.note(request.method, failure.effect)
            raise failure from error
        except ServiceError:
            exchange.note(request.method, "sent")
            raise
        except BaseException:  # Ctrl-C: nobody waits for the answer any more
            exchange.note(request.method, "unknown")
            raise
        exchange.note(request.method, "sent", response.status_code)
        if response.headers.get("X-RateLimit-Remaining") == "0":
            limiter.hold(wait_of(response.headers) or 0.0)
        if not response.is_success:
            raise self._refusal(response, limiter)
        return self._decode(response)

    def _wait(self, limiter: Limiter) -> None:
        """Wait for the rate of the service, which other calls of the account share.

        Raises:
            RateLimited: the service has asked for a wait that is longer than a call waits.
        """
        while True:
            seconds, asked = limiter.take()
            if seconds <= 0:
                return
            if asked and seconds > self.exchange.retry_budget:
                message = f"{self.title} has asked to wait for {seconds:.0f} s"
                hint = f"Try again in {seconds:.0f} s."
                details: JsonObject = {"retry_after": round(seconds, 3)}
                raise RateLimited(message, retryable=True, details=details, hint=hint)
            self.exchange.pause(seconds, "rate")

    def _limiter(self, rate: Rate) -> Limiter:
        return self._limiters.get(rate.name) or self._limiters.setdefault(rate.name, Limiter(rate))

    def _refusal(self, response: httpx.Response, limiter: Limiter) -> KosmoError:
        words = shorten(self.conceal(words_of(response, self.explain)))
        failure = refused(response, self.title, words, self._asked(response))
        failure.hint = failure.hint or self.advise(response.status_code)
        if isinstance(failure, RateLimited) and failure.details:
            limiter.hold(float(str(failure.details["retry_after"])))
        return failure

    def _asked(self, response: httpx.Response) -> float | None:
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return None
        return self.asked_wait(body) if isinstance(body, dict) else None

    def _decode(self, response: httpx.Response) -> Json:
        if not response.content:
            return None
        try:
            body: Json = response.json()
        except (ValueError, RecursionError):
            words = shorten(self.conceal(text_of(response)))
            message = f"{self.title} answered {response.status_code}, but not with JSON: {words}"
            status = response.status_code
            raise ServiceError(message, status=status, effect="sent") from None
        return body


def _may_repeat(error: BaseException, repeat_on: frozenset[int] | None) -> bool:
    """Whether the same request may be sent again after this failure."""
    if not isinstance(error, KosmoError) or not error.retryable:
        return False
    if error.effect == "none" or isinstance(error, RateLimited):
        return True
    if repeat_on is None:
        return False
    return error.effect == "unknown" or error.status in repeat_on


def encode(body: JsonObject) -> bytes:
    """Return a body as it goes over the wire: compact UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
