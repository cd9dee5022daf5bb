"""Sending: one request on its way, as often as it takes."""

import math
import re
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import KosmoError, RateLimited, ServiceError
from kosmo_lua.http.answer import Answer
from kosmo_lua.http.connections import Connections
from kosmo_lua.http.exchange import Exchange, Patience
from kosmo_lua.http.failures import (
    no_answer,
    refused,
    shorten,
    text_of,
    wait_of,
    words_of,
)
from kosmo_lua.http.library import httpx
from kosmo_lua.http.rates import Limiter
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # it imports this module
    from kosmo_lua.http.api import Api


class Sending:
    """Sends one request of a call until it succeeds, or its failure is final.

    `repeat_on` are the statuses after which it may be sent again, and with them after a lost answer; empty:
    it must not be there twice.
    """

    def __init__(
        self,
        api: "Api[Any]",
        request: httpx.Request,
        *,
        connections: Connections,
        limiter: Limiter,
        repeat_on: frozenset[int],
    ) -> None:
        self._api = api
        self._request = request
        self._connections = connections
        self._limiter = limiter
        self._repeat_on = repeat_on
        self._exchange: Exchange = api.exchange
        self._patience = Patience(self._exchange.retry_budget)

    def send(self) -> Json:
        """Send it, and return the JSON of the answer.

        Raises:
            KosmoError: the last failure.
        """
        before, self._exchange.tries = self._exchange.effect, 0
        try:
            answer = self._persist()
        except KosmoError as failure:
            if self._exchange.tries > 1:
                failure.message = f"{failure.message} (tried {self._exchange.tries} times)"
            failure.hint = failure.hint or self._hint(failure)
            raise failure from None
        if self._exchange.counts(self._request.method):
            self._exchange.settle(before)
        return answer

    def _persist(self) -> Json:
        try:
            return self._attempt()
        except KosmoError as failure:
            if not (self._exchange.retry_budget and self._may_repeat(failure)):
                raise
            from kosmo_lua.http.retries import again  # noqa: PLC0415  # 30 ms, only after a failure

            return again(
                self._attempt,
                failure,
                self._may_repeat,
                exchange=self._exchange,
                patience=self._patience,
                reached=lambda: self._connections.reached,
            )

    def _may_repeat(self, error: BaseException) -> bool:
        """Whether it may be sent again after this failure."""
        if not isinstance(error, KosmoError) or not error.retryable:
            return False
        if error.effect == "none" or isinstance(error, RateLimited):  # it was not taken
            return True
        lost = error.effect == "unknown"
        return bool(self._repeat_on) and (lost or error.status in self._repeat_on)

    def _hint(self, failure: KosmoError) -> str | None:
        if self._exchange.writes and self._exchange.effect == "unknown":
            return "The write may or may not have happened; check before you send it again."
        if failure.effect == self._exchange.effect == "none":
            return "Check the network and the address; nothing was sent."
        return None

    def _attempt(self) -> Json:
        """Send it once, as soon as the rate of the service allows."""
        self._pace()
        answer = self._answer()
        limited = answer.status == httpx.codes.TOO_MANY_REQUESTS
        if limited or re.fullmatch(r"-\d+|0+", answer.headers.get("X-RateLimit-Remaining", "")):
            self._limiter.hold(self._asked(answer) or 0.0)
        if not answer.is_success:
            raise self._refusal(answer)
        return self._decode(answer)

    def _pace(self) -> None:
        """Wait for the rate of the service, which other calls of the account share.

        Raises:
            RateLimited: the service has asked for a wait that is longer than a call waits.
        """
        while True:
            seconds, asked = self._limiter.take()
            if seconds <= 0:
                return
            if asked and not self._patience.bears(seconds):
                message = f"{self._api.title} has asked to wait for {math.ceil(seconds)} s"
                hint = f"Try again in {math.ceil(seconds)} s."
                details: JsonObject = {"retry_after": round(seconds, 3)}
                raise RateLimited(message, retryable=True, details=details, hint=hint)
            self._exchange.pause(seconds, "rate")

    def _answer(self) -> Answer:
        """Return the whole answer; note in any case what became of the request."""
        request, title = self._request, self._api.title
        self._exchange.begin()
        try:
            answer = self._connections.send(request, title)
        except httpx.RequestError as error:
            failure = no_answer(error, str(request.url), title, self._api.read_seconds)
            self._connections.reached |= failure.effect != "none"
            self._exchange.note(request.method, failure.effect)
            raise failure from error
        except KosmoError as failure:
            self._exchange.note(request.method, failure.effect, failure.status)
            raise
        except BaseException:  # Ctrl-C: nobody waits for the answer any more
            self._exchange.note(request.method, "unknown")
            raise
        self._connections.reached = True
        self._exchange.note(request.method, "sent", answer.status)
        return answer

    def _refusal(self, answer: Answer) -> KosmoError:
        words = shorten(self._api.conceal(words_of(answer, self._api.explain)))
        asked = self._asked(answer)
        failure = refused(answer, self._api.title, words, asked=asked, repeat_on=self._repeat_on)
        failure.hint = failure.hint or self._api.advise(answer.status)
        return failure

    def _asked(self, answer: Answer) -> float | None:
        """Return the wait in seconds that an answer asks for: in a header or, after 429, in its body."""
        limited = answer.status == httpx.codes.TOO_MANY_REQUESTS
        if (wait := wait_of(answer.headers)) is not None or not limited:
            return wait
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            return None
        wait = self._api.asked_wait(body) if isinstance(body, dict) else None
        return wait if wait is not None and 0 <= wait < math.inf else None

    def _decode(self, answer: Answer) -> Json:
        if not answer.content:
            return None
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            words = shorten(self._api.conceal(text_of(answer)))
            status = answer.status
            message = f"{self._api.title} answered {status}, but not with JSON: {words}"
            raise ServiceError(message, status=status, effect="sent") from None
        return body
