"""Addresses of services: https, or http on this machine."""

import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[a-z0-9._:-]+")


def web_address(url: str, example: str) -> SplitResult:
    """Return the parts of an address that requests may go to.

    Raises:
        ValueError: it is none; says why, with an example, and nothing of the address.
    """
    parts = _split(url)
    if not (parts and parts.scheme in ("https", "http") and _HOST.fullmatch(parts.hostname or "")):
        message = f"must be an address such as {example}"
        raise ValueError(message)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        message = "must start with https:// (http:// is for this machine only)"
        raise ValueError(message)
    return parts


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
