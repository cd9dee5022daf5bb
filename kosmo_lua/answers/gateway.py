"""What the gateway's commands tell: the answers of `mcp:serve` and `mcp:gateway:*`."""

from typing import NamedTuple

from kosmo_lua.values import JsonObject


class Serving(NamedTuple):
    """Where `mcp:serve --http` listens; `token` is null when it is that of KOSMO_MCP_TOKEN."""

    url: str
    token: str | None


class ClientConfig(NamedTuple):
    """What `mcp:gateway:export` prints: the configuration of a client."""

    format: str
    config: JsonObject


class Installed(NamedTuple):
    """What `mcp:gateway:install` has done; `changed` is false when the entry was there."""

    client: str
    path: str
    name: str
    changed: bool
