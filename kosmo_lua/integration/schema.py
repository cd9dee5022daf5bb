"""The JSON Schema of a function's parameters, made from their model."""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kosmo_lua.integration.models import Params
from kosmo_lua.values import JsonObject


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


def schema_of(model: type[Params]) -> JsonObject:
    """Return the JSON Schema of a model, in the spelling of the service."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_AbsentNotNull)
    return {key: value for key, value in schema.items() if key not in ("title", "description")}
