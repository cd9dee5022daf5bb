"""The address of an MCP server: https, or http on this machine, and no credentials in it."""

import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[a-z0-9._:-]+")

NO_USER = "must not have a user or a password: give them in headers"


def checked_url(url: str) -> str:
    """Return the address when it may be used.

    Raises:
        ValueError: it may not; says why, and nothing of the address.
    """
    parts = _split(url)
    if not (parts and parts.scheme in ("https", "http") and _HOST.fullmatch(parts.hostname or "")):
        message = "must be an address such as https://mcp.example.com/mcp"
        raise ValueError(message)
    assert parts.hostname
    if "@" in parts.netloc:
        raise ValueError(NO_USER)
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        message = "must start with https:// (http:// is for this machine only)"
        raise ValueError(message)
    return url


def _split(url: str) -> SplitResult | None:
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is no port
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415  # only for http

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
