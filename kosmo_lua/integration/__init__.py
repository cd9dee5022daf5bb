"""The door for authors of integrations: Integration, Params, Credentials, Api.

An operation is declared once, as a function of one pydantic model under `@service.read()` or
`@service.write()`: its name is the Lua name, its docstring the documentation, its model the schema,
the validation and the wire spelling, the decorator its permission.
"""

from pydantic import Field, SecretStr

from kosmo_lua import __version__
from kosmo_lua.http import TRANSIENT, Api, BatchLimits, Event, Rate, encode
from kosmo_lua.identity import now
from kosmo_lua.integration.declaration import Integration
from kosmo_lua.integration.function import Each, Emulation, Function, Rows, lua_path
from kosmo_lua.integration.models import Credentials, Object, Origin, Params, setting
from kosmo_lua.values import Json, JsonObject

__all__ = [
    "TRANSIENT",
    "VERSION",
    "Api",
    "BatchLimits",
    "Credentials",
    "Each",
    "Emulation",
    "Event",
    "Field",
    "Function",
    "Integration",
    "Json",
    "JsonObject",
    "Object",
    "Origin",
    "Params",
    "Rate",
    "Rows",
    "SecretStr",
    "encode",
    "lua_path",
    "now",
    "setting",
]

VERSION = __version__
"""The version of kosmo, for services that are told who sends."""
