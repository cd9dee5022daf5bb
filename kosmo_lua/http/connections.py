"""Connections: each thread that calls has its own, so that none waits for that of another.

Requests go to a transport and not to httpx's client: that one follows redirects, keeps cookies and looks for
credentials in files, none of which an account may do, and takes twice as long.
"""

import os
import ssl
from contextlib import closing, suppress
from functools import cache, lru_cache
from threading import Lock, local
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

from kosmo_lua import __version__
from kosmo_lua.errors import ConfigError, ServiceError
from kosmo_lua.http.answer import Answer
from kosmo_lua.http.failures import CONNECT_SECONDS
from kosmo_lua.http.library import httpx
from kosmo_lua.http.transport import Transport

USER_AGENT = f"kosmo-lua/{__version__}"

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, decoded: more would not fit into the memory of a script anyway."""

_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
    "User-Agent": USER_AGENT,
}
_NAMES = {name.lower(): name for name in ("Host", *_HEADERS)}
_FRAMING = ("content-length", "transfer-encoding")
"""Headers that say where a request ends, which is not for an integration to say."""

_CODINGS = ("gzip", "deflate")
_WITH_BODY = ("POST", "PUT", "PATCH")


class Connections:
    """The connections of one account: to each address one in each thread, which is kept alive."""

    def __init__(self, read_seconds: float) -> None:
        timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
        self._extensions = {"timeout": timeout.as_dict()}
        self._of_thread = local()
        self._all = WeakSet[_Transports]()
        self._lock = Lock()
        self._closed = False
        self.reached = False
        """Whether the service was there already: its address is right."""

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str] | None,
        *,
        query: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Request:
        """Return a request, which may be sent more than once."""
        address = _url(url)
        if query:
            address = _with_query(address, query)
        lines = {"Host": address.netloc.decode("ascii"), **_HEADERS}
        for name, value in (headers or {}).items():
            if (lower := name.lower()) not in _FRAMING:
                lines[_NAMES.get(lower, name)] = value
        if content is not None or method.upper() in _WITH_BODY:
            lines["Content-Length"] = str(len(content or b""))
        # With a body as a stream httpx takes the headers as they are, which is four times as fast.
        body = httpx.ByteStream(content or b"")
        request = httpx.Request(
            method,
            address,
            headers=lines,
            stream=body,
            extensions=self._extensions,
        )
        request.read()
        return request

    def send(self, request: httpx.Request, title: str) -> Answer:
        """Send a request and return the whole answer; `title` is the service's.

        Raises:
            ServiceError: the answer is longer than fits.
            ConfigError: the certificates of the environment cannot be read.
            httpx.RequestError: there was no answer.
        """
        transport = self._transport(request.url)
        try:
            with closing(transport.handle_request(request)) as response:
                content = _read(response, title)
                return Answer(response.status_code, response.headers, content)
        finally:
            if self._closed:  # while this thread was connecting
                transport.close()

    def _transport(self, url: httpx.URL) -> httpx.BaseTransport:
        transports: _Transports | None = getattr(self._of_thread, "transports", None)
        if transports is None:
            transports = self._of_thread.transports = _Transports()
            with self._lock:
                self._all.add(transports)
        return transports.to(url)

    def close(self) -> None:
        """Close those of all threads. A thread that is about to connect closes its own."""
        self._closed = True
        with self._lock:
            threads = list(self._all)
        for transports in threads:
            transports.close()


class _Transports:
    """The transports of one thread, one to each address. They are closed when it has ended."""

    def __init__(self) -> None:
        self._by_origin: dict[str, httpx.BaseTransport] = {}

    def to(self, url: httpx.URL) -> httpx.BaseTransport:
        """Return the one to the address of a URL."""
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        transport = self._by_origin.get(origin)
        if transport is None:
            transport = self._by_origin[origin] = _transport_to(url)
        return transport

    def close(self) -> None:
        """Close them all, on any thread."""
        for transport in list(self._by_origin.values()):
            transport.close()

    def __del__(self) -> None:
        """Close them: nothing but its thread, and a Connections, knows them."""
        self.close()


def preload() -> None:
    """Import and make what the first request needs, in a process that others are forked of."""
    with suppress(ConfigError):  # who connects is told
        trust_of("https")


def _transport_to(url: httpx.URL) -> httpx.BaseTransport:
    trust, proxy = trust_of(url.scheme), proxy_for(url.scheme, url.host)
    if not proxy:
        return Transport(url, trust)
    with suppress(ImportError, ValueError, httpx.InvalidURL):  # they may quote its password
        httpx.URL(proxy).host.encode("idna")  # which fails here, and not when it is asked
        return httpx.HTTPTransport(verify=trust, proxy=proxy)
    message = "the proxy that the environment names cannot be used (socks5:// needs httpx[socks])"
    raise httpx.ProxyError(message)


@lru_cache(maxsize=64)
def _url(url: str) -> httpx.URL:
    address = httpx.URL(url)
    address.host  # noqa: B018  # a name that cannot be one fails here, and not where it is looked up
    return address


def _with_query(address: httpx.URL, query: dict[str, str]) -> httpx.URL:
    """Return an address with more in its query; where it has none, in half the time that httpx takes."""
    text = str(address)
    if "?" in text or "#" in text:
        return address.copy_merge_params(query)
    return httpx.URL(f"{text}?{httpx.QueryParams(query)}")


def proxy_for(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for an address: HTTPS_PROXY, NO_PROXY and so on."""
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _read(response: httpx.Response, title: str) -> bytes:
    """Return the body of an answer, decoded, unless it is longer than fits."""
    # Nobody asked for another coding: two, one in the other, would fill the memory before a part is measured.
    is_packed = response.headers.get("Content-Encoding", "").lower() in _CODINGS
    body = bytearray()  # not a list: a part may be a single byte
    for part in response.iter_bytes() if is_packed else response.iter_raw():
        body += part
        if len(body) > MAX_ANSWER:
            message = f"{title} answered with more than {MAX_ANSWER // 1024**2} MiB"
            raise ServiceError(message, status=response.status_code, effect="sent")
    return bytes(body)


_NO_AUTHORITY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For http: it trusts nobody, so an https address that came here would be refused."""


def trust_of(scheme: str) -> ssl.SSLContext:
    """Return what checks the certificates of addresses with this scheme.

    Raises:
        ConfigError: the certificates that the environment names cannot be read.
    """
    return _tls() if scheme == "https" else _NO_AUTHORITY


@cache
def _tls() -> ssl.SSLContext:
    """Make what checks certificates: once for all accounts, only for https: it takes 20 to 40 ms."""
    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        named = next(filter(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")), "certifi")
        reason = getattr(error, "reason", None) or error.strerror
        message = f"the certificates of {named} cannot be read: {reason}"
        raise ConfigError(message, hint="Correct the variable; nothing was sent.") from None
    context.set_alpn_protocols(["http/1.1"])
    return context
