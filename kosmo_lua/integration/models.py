"""What authors declare with pydantic: the parameters of a function, and the settings of an account."""

from typing import Annotated, Any, get_args

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

from kosmo_lua.addresses import web_address
from kosmo_lua.arguments import empty_table_is_object
from kosmo_lua.values import JsonObject

Object = Annotated[
    dict[str, JsonValue],
    BeforeValidator(empty_table_is_object),
    WithJsonSchema({"type": "object"}),
]
"""A JSON object with any content: traits, properties. Lua's empty table counts as one."""


def _origin(url: str) -> str:
    parts = web_address(url.strip(), "https://api.example.com")
    if (
        parts.path.rstrip("/") not in ("", "/v1")
        or parts.query
        or parts.username
        or parts.fragment
    ):
        message = "must be an origin, without a path, query or user: https://api.example.com"
        raise ValueError(message)
    return f"{parts.scheme}://{parts.netloc}"


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

    def wire_json(self) -> bytes:
        """Return the same as JSON."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)


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
    issued: bool = False,
    unchecked: str = "",
) -> Any:  # noqa: ANN401  # as pydantic's Field
    """Declare a field of Credentials.

    `env` are the vendor's own names of its variable, `aliases` are other names of the setting itself.
    `issued` says that the service makes it, so that it has no quotes and no white space: one with some was
    not copied well, and is refused. A password, which somebody thinks of, may have them.
    `unchecked` is a sentence on why no request without effect can tell whether a secret works; every other
    secret has a function under `@service.check`.
    """
    extra: JsonObject = {
        "env": [*env],
        "aliases": [*aliases],
        "issued": issued,
        "unchecked": unchecked,
    }
    return Field(default, description=description, json_schema_extra={**extra})
