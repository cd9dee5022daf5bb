"""The address of an MCP server: no credentials are in it."""

from kosmo_lua.addresses import web_address

NO_USER = "must not have a user or a password: give them in headers"


def checked_url(url: str) -> str:
    """Return the address when it may be used.

    Raises:
        ValueError: it may not; says why, and nothing of the address.
    """
    if "@" in web_address(url, "https://mcp.example.com/mcp").netloc:
        raise ValueError(NO_USER)
    return url
