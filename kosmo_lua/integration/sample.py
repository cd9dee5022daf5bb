"""Arguments for examples, from the JSON Schema of a function."""

from kosmo_lua.values import Json, JsonObject

_OF_TYPE: dict[str, Json] = {
    "array": [],
    "boolean": True,
    "integer": 1,
    "number": 1,
    "object": {},
}


def sample_of(schema: JsonObject) -> JsonObject:
    """Return arguments: those that have examples, and for those that must be there, others of their type."""
    properties, required = schema.get("properties"), schema.get("required")
    fields = properties if isinstance(properties, dict) else {}
    needed = (
        {name for name in required if isinstance(name, str)}
        if isinstance(required, list)
        else set()
    )
    found: JsonObject = {}
    for name, field in fields.items():
        facts = field if isinstance(field, dict) else {}
        examples = facts.get("examples")
        if isinstance(examples, list) and examples:
            found[name] = examples[0]
        elif name in needed:
            found[name] = _placeholder(facts)
    return found


def _placeholder(field: JsonObject) -> Json:
    values = field.get("enum")
    if isinstance(values, list) and values:
        return values[0]
    return field.get("default", _OF_TYPE.get(str(field.get("type")), "..."))
