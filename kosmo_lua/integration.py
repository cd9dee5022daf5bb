"""The door for authors of integrations: Integration, Params, Credentials, Api.

An operation is declared once, as a function of one pydantic model under `@service.read()` or
`@service.write()`: its name is the Lua name, its docstring the documentation, its model the schema,
the validation and the wire spelling, the decorator its permission.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kosmo_lua import __version__
from kosmo_lua.arguments import check
from kosmo_lua.http import Api, encode
from kosmo_lua.values import Json, JsonObject

__all__ = [
    "VERSION",
    "Api",
    "Credentials",
    "Emulation",
    "Field",
    "Function",
    "Integration",
    "Json",
    "JsonObject",
    "Object",
    "Origin",
    "Params",
    "SecretStr",
    "encode",
    "setting",
]

Access = Literal["read", "write"]

VERSION = __version__
"""The version of kosmo, for services that are told who sends."""


def _empty_table_is_object(value: object) -> object:
    """A Lua `{}` does not say what it is; where an object is asked for, it is one."""
    return {} if value == [] else value


Object = Annotated[
    dict[str, JsonValue],
    BeforeValidator(_empty_table_is_object),
    WithJsonSchema({"type": "object"}),
]
"""A JSON object with any content: traits, properties. Lua's empty table counts as one."""


_HOST = re.compile(r"[a-z0-9._:-]+")


def _origin(url: str) -> str:
    parts = _split(url.strip())
    if not (parts and parts.scheme in ("https", "http") and _HOST.fullmatch(parts.hostname or "")):
        message = "must be an address such as https://api.example.com"
        raise ValueError(message)
    assert parts.hostname
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        message = "must start with https:// (http:// is for this machine only)"
        raise ValueError(message)
    if (
        parts.path.rstrip("/") not in ("", "/v1")
        or parts.query
        or parts.username
        or parts.fragment
    ):
        message = "must be an origin, without a path, query or user: https://api.example.com"
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises when it is no port
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


Origin = Annotated[str, AfterValidator(_origin)]
"""The address of a service: https, or http on this machine. A trailing `/` or `/v1` is dropped."""


class Params(BaseModel):
    """The parameters of a function; the fields' order is the order of positional arguments.

    None means absent (Lua has no other nil). Values are taken as they are: a number is not a string.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, validate_by_name=True, defer_build=True
    )

    def wire(self) -> JsonObject:
        """Return what was given, in the service's spelling."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Credentials(BaseModel):
    """The settings of one account. Each field is a `setting`; secrets are SecretStr."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def secrets(self) -> list[str]:
        """Return the secret values, the longest first, so that they can be kept out of every output."""
        values = (getattr(self, name) for name in type(self).model_fields)
        found = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return sorted(filter(None, found), key=len, reverse=True)

    @classmethod
    def is_secret(cls, name: str) -> bool:
        """Whether a field is one that nobody may see."""
        annotation = cls.model_fields[name].annotation
        return SecretStr in (annotation, *get_args(annotation))


def setting(
    description: str,
    *,
    env: tuple[str, ...] = (),
    aliases: tuple[str, ...] = (),
    default: object = None,
    unchecked: str = "",
) -> Any:  # noqa: ANN401  # as pydantic's Field
    """Declare a field of Credentials.

    `env` are the vendor's own names of its variable, `aliases` are other names of the setting itself.
    `unchecked` is a sentence on why no request without effect can tell whether a secret works; every other
    secret has a function under `@service.check`.
    """
    extra: JsonObject = {"env": [*env], "aliases": [*aliases], "unchecked": unchecked}
    return Field(default, description=description, json_schema_extra={**extra})


@dataclass(frozen=True)
class Emulation:
    """The emulator that an integration ships."""

    service: str
    """Where its class is: `kosmo_segment.emulator:SegmentEmulator`, loaded only when it is started."""
    settings: Mapping[str, str]
    """The credentials that it knows."""
    urls: tuple[str, ...]
    """The settings that take its address."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """One operation, whoever declared it. Lua, the command line, docs and policy know nothing else."""

    integration: str
    name: str
    aliases: tuple[str, ...] = ()
    access: Access
    credential: str | None
    """The setting that the call needs, such as `write_key`; None: it needs none."""
    summary: str
    description: str
    returns: str
    examples: tuple[str, ...]
    source: str | None
    schema: Callable[[], JsonObject] = field(repr=False)
    validate: Callable[[JsonObject], object] = field(repr=False)
    invoke: Callable[[Api[Any], object], Json] = field(repr=False)

    @property
    def full_name(self) -> str:
        """The name in logs and errors: `segment.identify_user`."""
        return f"{self.integration}.{self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name that means this function, the canonical one first."""
        names, prefix = (self.name, *self.aliases), f"{self.integration}_"
        slugs = (name if name.startswith(prefix) else prefix + name for name in names)
        return tuple(dict.fromkeys([*names, *slugs]))


A = TypeVar("A", bound=Api[Any])
P = TypeVar("P", bound=Params)
F = TypeVar("F", bound=Callable[..., Json])
C = TypeVar("C", bound=Callable[[Any], str])


@dataclass(frozen=True)
class Integration(Generic[A]):
    """A service and its functions. Offer it by an entry point of the group `kosmo.integrations`."""

    name: str
    title: str
    summary: str
    credentials: type[Credentials]
    api: Callable[[Any], A] = field(repr=False)
    guide: str = field(default="", repr=False)
    """Markdown for the integration's page in the docs, below the list of functions."""
    emulation: Emulation | None = field(default=None, repr=False)
    lua_prefix: str = ""
    """What the names of its functions begin with in Lua and in the docs; without it each is an alias."""
    functions: dict[str, Function] = field(default_factory=dict, repr=False)
    checks: dict[str, Function] = field(default_factory=dict, repr=False)
    """How each secret setting is checked, by its name."""

    def read(self, *aliases: str, credential: str | None = None) -> Callable[[F], F]:
        """Declare a function that changes nothing at the service."""
        aliases = _names(aliases)
        return partial(self._declare, access="read", aliases=aliases, credential=credential)

    def write(self, *aliases: str, credential: str | None = None) -> Callable[[F], F]:
        """Declare a function that changes something at the service, and so needs permission."""
        aliases = _names(aliases)
        return partial(self._declare, access="write", aliases=aliases, credential=credential)

    def check(self, credential: str) -> Callable[[C], C]:
        """Declare how a credential is checked: by a request that only reads.

        The function takes the Api alone and returns what the credential is good for, as a sentence without
        subject: `reads the workspace acme.`
        """
        return partial(self._declare_check, credential)

    def _declare_check(self, credential: str, call: C) -> C:
        self.checks[credential] = Function(
            integration=self.name,
            name=call.__name__,
            access="read",
            credential=credential,
            schema=partial(_schema, _NoParams),
            validate=partial(check, _NoParams),
            invoke=partial(_invoke, call, _NoParams),
            **_documentation(call),
        )
        return call

    def _declare(
        self, call: F, *, access: Access, aliases: tuple[str, ...], credential: str | None
    ) -> F:
        model = _model(call)
        short = (call.__name__,) if self.lua_prefix else ()
        self.functions[call.__name__] = Function(
            integration=self.name,
            name=self.lua_prefix + call.__name__,
            aliases=(*short, *aliases),
            access=access,
            credential=credential,
            schema=partial(_schema, model),
            validate=partial(check, model),
            invoke=partial(_invoke, call, model),
            **_documentation(call),
        )
        return call


class _NoParams(Params):
    """The model of a function without parameters."""


def _names(aliases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the aliases; a decorator without its parentheses would take the function for one."""
    if all(isinstance(alias, str) for alias in aliases):
        return aliases
    message = "write the decorator with its parentheses: @service.read() or @service.write()"
    raise TypeError(message)


def _model(call: Callable[..., Json]) -> type[Params]:
    """Return the type of the second parameter, which is the whole signature of an operation."""
    kinds = [p.annotation for p in inspect.signature(call, eval_str=True).parameters.values()]
    if len(kinds) == 1:
        return _NoParams
    if len(kinds) == 2 and isinstance(kinds[1], type) and issubclass(kinds[1], Params):  # noqa: PLR2004  # as said
        return kinds[1]
    takes = "must take the Api and one model derived from Params, or the Api alone"
    message = f"{call.__name__} {takes}"
    raise TypeError(message)


def _invoke(
    call: Callable[..., Json], model: type[Params], api: Api[Any], arguments: object
) -> Json:
    return call(api) if model is _NoParams else call(api, arguments)


class _AbsentNotNull(GenerateJsonSchema):
    """JSON Schema in which an optional parameter may be left out, rather than be null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # the library's signature
        return False


def _schema(model: type[Params]) -> JsonObject:
    schema = model.model_json_schema(by_alias=True, schema_generator=_AbsentNotNull)
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


class _Documentation(dict[str, Any]):
    """The documentation fields of a Function."""


def _documentation(call: Callable[..., Json]) -> _Documentation:
    """Split a docstring: summary, prose, `Returns:`, Lua examples, `Source:`."""
    text = inspect.getdoc(call) or ""
    examples = tuple(found.strip() for found in re.findall(r"```lua\n(.*?)```", text, re.DOTALL))
    text = re.sub(r"```lua\n.*?```", "", text, flags=re.DOTALL)
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    labelled = {
        label: part.removeprefix(f"{label}:").strip()
        for part in paragraphs
        for label in ("Returns", "Source")
        if part.startswith(f"{label}:")
    }
    prose = [part for part in paragraphs if not part.startswith(("Returns:", "Source:"))]
    return _Documentation(
        summary=prose[0] if prose else "",
        description="\n\n".join(prose[1:]),
        returns=labelled.get("Returns", ""),
        examples=examples,
        source=labelled.get("Source"),
    )
