"""Api: one service as one account sees it. The only module that knows httpx.

Every request has time limits, no redirect is followed (it could carry a credential elsewhere), and
every outcome becomes a plain value or a KosmoError that says whether the request left the machine.
"""

import json
import re
import ssl
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, NoReturn, Protocol, TypeVar
from urllib.parse import quote

import httpx

from kosmo_lua import __version__
from kosmo_lua.dry_run import NotSent, PlannedRequest
from kosmo_lua.errors import (
    Effect,
    KosmoError,
    RateLimited,
    ServiceError,
    TimedOut,
    Unreachable,
)
from kosmo_lua.values import HIDDEN, Json, JsonObject

SHORTEST_SECRET = 6
"""What is shorter is no key of a service, and may be a part of any word."""

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, decoded: more would not fit into the memory of a script anyway."""

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
USER_AGENT = f"kosmo-lua/{__version__}"

# Raised before a byte of the request was written.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)


class HasSecrets(Protocol):
    """What credentials are here: something with secrets."""

    def secrets(self) -> list[str]:
        """Return the secret values, the longest first."""


C = TypeVar("C", bound=HasSecrets)


@dataclass
class Exchange:
    """What a call has sent so far; the call log shows it."""

    writes: bool = False
    """Whether the call is a write: then only requests that may change something count."""
    dry_run: bool = False
    """Whether its first request is shown instead of sent."""
    effect: Effect = "none"
    status: int | None = None
    attempts: int = 0

    def note(self, method: str, effect: Effect, status: int | None = None) -> None:
        """Record the outcome of a request; once unknown, the effect of the call stays unknown."""
        self.status = status
        counts = not self.writes or method != "GET"
        if counts and effect != "none" and self.effect != "unknown":
            self.effect = effect


class Api(Generic[C]):
    """Sends requests with the credentials of one account. Subclass it for a service.

    `read_seconds` is how long an answer may take, 30 by default; a connection gets 5.
    """

    title = "The service"
    read_seconds = READ_SECONDS

    def __init__(self, credentials: C) -> None:
        self.credentials = credentials
        self.exchange = Exchange()
        self.warnings: list[str] = []
        """Sentences for the envelope; the call path collects them after each call."""

    @cached_property
    def _client(self) -> httpx.Client:
        timeout = httpx.Timeout(self.read_seconds, connect=CONNECT_SECONDS)
        return httpx.Client(timeout=timeout, headers={"User-Agent": USER_AGENT}, verify=_tls())

    def begin(self, *, writes: bool) -> None:
        """Begin a call: nothing of it has been sent. The call path does so before each."""
        self.exchange = Exchange(writes)

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def conceal(self, text: str) -> str:
        """Return the text without the account's secrets: plain, in a URL, in JSON or in a Basic header."""
        for secret in self.credentials.secrets():
            if len(secret) < SHORTEST_SECRET:
                continue
            basic = b64encode(f"{secret}:".encode()).decode("ascii")
            for spelling in (basic, quote(secret, safe=""), json.dumps(secret)[1:-1], secret):
                text = text.replace(spelling, HIDDEN)
        return text

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Json:
        """Send one request and return the JSON of its answer (None for an empty one).

        Raises:
            Unreachable, TimedOut: no answer; `effect` says whether the request left.
            RateLimited, ServiceError: the service answered with an error, or not with JSON.
            NotSent: instead of sending anything, in a dry run.
        """
        request = self._client.build_request(
            method, url, headers=headers, params=query, content=content
        )
        if self.exchange.dry_run:
            raise NotSent(self._planned(request))
        self.exchange.attempts += 1
        try:
            response = self._whole(self._client.send(request, stream=True))
        except httpx.RequestError as error:
            self._no_answer(method, url, error)
        except ServiceError:
            self.exchange.note(method, "sent")
            raise
        except BaseException:  # Ctrl-C: nobody waits for the answer any more
            self.exchange.note(method, "unknown")
            raise
        self.exchange.note(method, "sent", response.status_code)
        if not response.is_success:
            self._refused(response)
        return self._decode(response)

    def _whole(self, answer: httpx.Response) -> httpx.Response:
        """Read an answer to its end, but no more of it than fits."""
        parts, size = list[bytes](), 0
        with closing(answer):
            for part in answer.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > MAX_ANSWER:
                    message = f"{self.title} answered with more than {MAX_ANSWER // 1024**2} MiB"
                    raise ServiceError(message, status=answer.status_code)
        decoded = ("content-encoding", "content-length", "transfer-encoding")
        headers = [pair for pair in answer.headers.multi_items() if pair[0] not in decoded]
        return httpx.Response(answer.status_code, headers=headers, content=b"".join(parts))

    def explain(self, body: JsonObject) -> str | None:  # noqa: ARG002  # for subclasses
        """Return the service's own words from the body of an error."""
        return None

    def advise(self, status: int) -> str | None:  # noqa: ARG002  # for subclasses
        """Return what to do about an error answer, where the service is known to mean more by it."""
        return None

    def _planned(self, request: httpx.Request) -> PlannedRequest:
        """Return what would be sent, without a secret in it, however short."""
        headers = {name.decode(): value.decode() for name, value in request.headers.raw}
        scheme, _, credentials = headers.get("Authorization", "").partition(" ")
        if credentials:
            headers["Authorization"] = f"{scheme} {HIDDEN}"
        try:
            body: Json = json.loads(request.content) if request.content else None
        except ValueError:
            body = request.content.decode("utf-8", "replace")
        hidden = {name: str(self._masked(value)) for name, value in headers.items()}
        url = self.conceal(str(request.url))
        return PlannedRequest(request.method, url, hidden, self._masked(body))

    def _masked(self, value: Json) -> Json:
        if isinstance(value, dict):
            return {name: self._masked(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, str):
            return HIDDEN if value in self.credentials.secrets() else self.conceal(value)
        return value

    def _no_answer(self, method: str, url: str, error: httpx.RequestError) -> NoReturn:
        if isinstance(error, httpx.DecodingError):
            self.exchange.note(method, "sent")
            message = f"{self.title} answered with a body whose encoding is broken"
            raise ServiceError(message) from error
        effect: Effect = "none" if isinstance(error, _NEVER_SENT) else "unknown"
        self.exchange.note(method, effect)
        where = httpx.URL(url).netloc.decode("ascii")
        kind: type[KosmoError] = Unreachable
        message = f"cannot connect to {where}: {_reason(error)}"
        if isinstance(error, httpx.TimeoutException):
            kind = TimedOut
            message = f"{where} did not answer within {self._seconds(error):g} s"
        elif effect == "unknown":
            message = f"{where} cut the connection before it answered"
        raise kind(message, retryable=True, hint=_hint(self.exchange, effect)) from error

    def _seconds(self, error: httpx.TimeoutException) -> float:
        connecting = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
        return CONNECT_SECONDS if connecting else self.read_seconds

    def _refused(self, response: httpx.Response) -> NoReturn:
        status = response.status_code
        kind: type[KosmoError] = (
            RateLimited if status == httpx.codes.TOO_MANY_REQUESTS else ServiceError
        )
        words = self._words(response)
        message = f"{self.title} answered {status}{': ' + words if words else ''}"
        details: JsonObject = {}
        hint = self.advise(status)
        wait = response.headers.get("Retry-After", "")
        if re.fullmatch("[0-9]{1,9}", wait):
            details["retry_after"] = int(wait)
            hint = f"Try again in {int(wait)} s."
        raise kind(
            message,
            status=status,
            retryable=status in (408, 429) or status >= httpx.codes.INTERNAL_SERVER_ERROR,
            details=details or None,
            hint=hint,
        )

    def _words(self, response: httpx.Response) -> str:
        """Say what an error answer says, in at most 300 characters of one line."""
        if response.is_redirect:
            return "a redirect, which is not followed"
        try:
            body = response.json()
        except (ValueError, RecursionError):
            return self._text(response)
        words = self.explain(body) if isinstance(body, dict) else None
        return _shorten(self.conceal(words or json.dumps(body, ensure_ascii=False)))

    def _text(self, response: httpx.Response) -> str:
        text = response.text.strip()
        if text and ("html" in response.headers.get("Content-Type", "") or text[0] == "<"):
            return "an HTML page"
        return _shorten(self.conceal(text))

    def _decode(self, response: httpx.Response) -> Json:
        if not response.content:
            return None
        try:
            body: Json = response.json()
        except (ValueError, RecursionError):
            words = self._text(response)
            message = f"{self.title} answered {response.status_code}, but not with JSON: {words}"
            raise ServiceError(message, status=response.status_code) from None
        return body


@cache
def _tls() -> ssl.SSLContext:
    """Make what checks certificates: once for all accounts, because it takes 40 ms."""
    return httpx.create_ssl_context()


def encode(body: JsonObject) -> bytes:
    """Return a body as it goes over the wire: compact UTF-8 JSON."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _hint(exchange: Exchange, effect: Effect) -> str | None:
    if exchange.writes and exchange.effect == "unknown":
        return "The write may or may not have happened; check before you send it again."
    if effect == exchange.effect == "none":
        return "Check the network and the address; nothing was sent."
    return None


def _reason(error: httpx.RequestError) -> str:
    cause: Any = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__
    return _shorten(getattr(cause, "strerror", None) or str(cause) or type(error).__name__)


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:300] + "..."  # noqa: PLR2004  # said in _words
