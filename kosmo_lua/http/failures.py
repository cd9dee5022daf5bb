"""What an answer that is none of a success becomes, or a request without an answer: a KosmoError."""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from kosmo_lua.errors import Effect, KosmoError, RateLimited, ServiceError, TimedOut, Unreachable
from kosmo_lua.http.answer import Answer
from kosmo_lua.http.library import httpx
from kosmo_lua.http.parser import NoHttp
from kosmo_lua.values import Json, JsonObject

CONNECT_SECONDS = 5.0

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.ProxyError,
    httpx.LocalProtocolError,
)
"""Raised before a byte of the request was written."""

_PASSES = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Those of them that may be gone when the request is tried again."""

_NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
"""Nothing has the name, or no address (which macOS does not tell apart)."""

_CHARSET = re.compile(r'charset="?([\w.:-]+)', re.ASCII | re.IGNORECASE)

_EPOCH = 1_000_000_000.0
"""A number of seconds that is at least so large is a time, and no wait."""


def no_answer(error: httpx.RequestError, url: str, title: str, read_seconds: float) -> KosmoError:
    """Return what a request without an answer becomes; its effect says whether it left the machine."""
    if isinstance(error, httpx.DecodingError):
        message = f"{title} answered with a body whose encoding is broken"
        return ServiceError(message, effect="sent")
    effect: Effect = "none" if isinstance(error, _NEVER_SENT) else "unknown"
    where = httpx.URL(url).netloc.decode("ascii")
    kind: type[KosmoError] = Unreachable
    message = f"cannot connect to {where}: {_reason(error)}"
    if isinstance(error, httpx.TimeoutException):
        kind = TimedOut
        connecting = isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
        seconds = CONNECT_SECONDS if connecting else read_seconds
        message = f"{where} did not answer within {seconds:g} s"
    elif isinstance(error, NoHttp):
        message = f"{where} did not answer in HTTP/1.1: {_reason(error)}"
    elif effect == "unknown":
        message = f"{where} cut the connection before it answered"
    passes = effect == "unknown" or (isinstance(error, _PASSES) and not _is_final(error))
    return kind(message, retryable=passes, effect=effect)


def impossible(url: str, error: Exception) -> KosmoError:
    """Return what an address becomes that cannot be one: a part of its name is empty, or too long."""
    message = f"cannot connect to {urlsplit(url).netloc}: {shorten(str(error))}"
    return Unreachable(message, hint="Check the address; nothing was sent.")


def refused(
    answer: Answer,
    title: str,
    words: str,
    *,
    asked: float | None,
    repeat_on: frozenset[int],
) -> KosmoError:
    """Return what an error answer becomes. `asked`: the wait in seconds that it asks for."""
    status = answer.status
    limited = status == httpx.codes.TOO_MANY_REQUESTS
    wait = asked if limited or "Retry-After" in answer.headers else None
    seconds = None if wait is None else int(wait) if wait == int(wait) else round(wait, 3)
    return (RateLimited if limited else ServiceError)(
        f"{title} answered {status}{': ' + words if words else ''}",
        status=status,
        retryable=status in repeat_on or _may_pass(status),
        effect="sent",
        details=None if seconds is None else {"retry_after": seconds},
        hint=None if seconds is None else f"Try again in {seconds} s.",
    )


def _may_pass(status: int) -> bool:
    """Whether the same request may succeed later, of any service."""
    return status in (408, 429) or (
        status >= httpx.codes.INTERNAL_SERVER_ERROR and status not in (501, 505)
    )


def wait_of(headers: httpx.Headers) -> float | None:
    """Return the wait in seconds that an answer asks for, in any of the forms that are in use.

    `Retry-After` is a number of seconds or an HTTP date; so is `X-RateLimit-Reset`, or it is a Unix time. The
    time of the service counts where it tells it: the clock of this machine may be wrong.
    Sources: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after,
    https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#rate-limits
    """
    for name in ("Retry-After", "X-RateLimit-Reset"):
        text = headers.get(name, "").strip()
        number = float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", text, re.ASCII) else None
        if number is not None and number < _EPOCH:
            return number
        moment = _moment(text) if number is None else number
        if moment is not None:
            present = _moment(headers.get("Date", ""))
            return max(moment - (time.time() if present is None else present), 0.0)
    return None


def _moment(date: str) -> float | None:
    """Return the Unix time of an HTTP date, if it is one."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def words_of(answer: Answer, explain: Callable[[JsonObject], str | None]) -> str:
    """Say what an error answer says."""
    if answer.is_redirect:
        return "a redirect, which is not followed"
    try:
        body: Json = answer.json()
    except (ValueError, RecursionError):
        return text_of(answer)
    words = explain(body) if isinstance(body, dict) else None
    return words or json.dumps(body, ensure_ascii=False)


def text_of(answer: Answer) -> str:
    """Say what an answer that is not JSON says."""
    text = _decoded(answer).strip()
    if text and ("html" in answer.headers.get("Content-Type", "") or text[0] == "<"):
        return "an HTML page"
    return text


def _decoded(answer: Answer) -> str:
    """Decode a body by a codec of texts: a service may name any of Python's, such as bz2."""
    charset = _CHARSET.search(answer.headers.get("Content-Type", ""))
    try:
        return answer.content.decode(charset[1] if charset else "utf-8", "replace")
    except (LookupError, UnicodeError):
        return answer.content.decode("utf-8", "replace")


def shorten(text: str) -> str:
    """Return a text as one line of at most 300 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:300] + "..."  # noqa: PLR2004  # said above


def _is_final(error: httpx.RequestError) -> bool:
    """Whether trying again is pointless: the name does not exist, or the certificate is wrong."""
    cause: Any = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        if isinstance(cause, socket.gaierror) and cause.errno in _NO_SUCH_NAME:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _reason(error: httpx.RequestError) -> str:
    cause: Any = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__
    return shorten(getattr(cause, "strerror", None) or str(cause) or type(error).__name__)
