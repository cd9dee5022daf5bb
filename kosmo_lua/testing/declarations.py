"""What an integration declares: names, docs, schemas and settings. Each check yields what is to be mended."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

from jsonschema import Draft202012Validator, SchemaError
from pydantic import TypeAdapter, ValidationError

from kosmo_lua.accounts import Accounts
from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import KosmoError
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.lua_source import is_lua_name
from kosmo_lua.pages import sample
from kosmo_lua.reference import Reference
from kosmo_lua.testing.subject import Subject
from kosmo_lua.values import JsonObject


def _check_names(subject: Subject) -> Iterator[str]:
    names = {f"the integration's name {subject.integration.name}": subject.integration.name}
    for function in subject.functions:
        for spelling in (function.name, *function.aliases):
            names[f"the function's name {spelling}"] = spelling
        for path, _ in _fields(function.schema()):
            names[f"{function.name}: the parameter {path}"] = path.rpartition(".")[2]
    for what, name in names.items():
        if not is_lua_name(name):
            yield f"{what} cannot be written in Lua: use letters, digits and _, and no Lua keyword"
        if name == "default":
            yield f"{what} is that of the default account: choose another"


def _check_spellings_are_unique(subject: Subject) -> Iterator[str]:
    meant: dict[str, str] = {}
    for function in subject.functions:
        for spelling in function.spellings:
            other = meant.setdefault(spelling, function.name)
            if other != function.name:
                yield f"{spelling} means both {other} and {function.name}: rename one"


LONGEST_SUMMARY = 80


def _check_docstrings(subject: Subject) -> Iterator[str]:
    for function in subject.functions:
        if not function.summary:
            yield f"{function.name} has no docstring: its first line is the summary in the docs"
        elif not function.summary.endswith(".") or len(function.summary) > LONGEST_SUMMARY:
            yield f"{function.name}: the summary must be one sentence of at most {LONGEST_SUMMARY} characters"
        if not function.returns:
            yield f"{function.name}: the docstring needs a paragraph `Returns: ...`"
        if not function.examples:
            yield f"{function.name}: the docstring needs an example, fenced as ```lua"


def _check_examples_are_lua(subject: Subject) -> Iterator[str]:
    compile_argument = "return (select(2, load(arg[1], '=example')))"
    kosmo = Kosmo(integrations=[subject.integration], environ={})
    for function in subject.functions:
        for example in function.examples:
            problem = kosmo.run(compile_argument, arguments=[example]).result
            if problem:
                yield f"{function.name}: the example is not valid Lua: {problem}"


def _fields(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield every field of an object and of those that it refers to, with its path."""
    definitions = schema.get("$defs")
    named = definitions.items() if isinstance(definitions, dict) else ()
    for prefix, model in [("", schema), *((f"{name}.", model) for name, model in named)]:
        properties = model.get("properties") if isinstance(model, dict) else None
        for name, field in properties.items() if isinstance(properties, dict) else ():
            yield f"{prefix}{name}", field if isinstance(field, dict) else {}


def _check_fields_are_described(subject: Subject) -> Iterator[str]:
    for function in subject.functions:
        for path, field in _fields(function.schema()):
            if not field.get("description"):
                yield f"{function.name}: the parameter {path} needs Field(description=...)"


def _check_unknown_fields_are_refused(subject: Subject) -> Iterator[str]:
    for function in subject.functions:
        schema = function.schema()
        definitions = schema.get("$defs")
        for model in [schema, *(definitions.values() if isinstance(definitions, dict) else ())]:
            has_fields = isinstance(model, dict) and "properties" in model
            if has_fields and model.get("additionalProperties") is not False:
                yield f"{function.name} takes parameters that it does not know: derive its models from Params"


def _check_samples_are_valid(subject: Subject) -> Iterator[str]:
    for function in subject.functions:
        try:
            function.validate(sample(function))
        except KosmoError as error:
            yield f"{function.name}: Field(examples=[...]) must give valid arguments: {error.message}"


def _check_schemas(subject: Subject) -> Iterator[str]:
    for function in subject.functions:
        try:
            Draft202012Validator.check_schema(function.schema())
        except SchemaError as error:
            yield f"{function.name}: its JSON Schema is not valid: {error.message}"


def _check_pages(subject: Subject) -> Iterator[str]:
    reference = Reference(Catalog([subject.integration]), Accounts({}))
    pages: dict[str, Callable[[], str]] = {
        subject.integration.name: partial(reference.integration, subject.integration)
    }
    for function in subject.functions:
        pages[function.name] = partial(reference.function, subject.integration, function)
    for name, render in pages.items():
        try:
            render()
        except Exception as error:  # noqa: BLE001  # whatever it is, the author wants to know
            yield f"the page {name} cannot be written: {type(error).__name__}: {error}"


_SECRET_WORDS = {"key", "password", "secret", "token"}


def _check_settings(subject: Subject) -> Iterator[str]:
    fields = subject.integration.credentials.model_fields
    for name, field in fields.items():
        if not field.description:
            yield f"the setting {name} needs a description: setting(...)"
        if _SECRET_WORDS & {*name.split("_")} and name not in subject.secrets:
            yield f"the setting {name} must be a SecretStr"
    emulation = subject.integration.emulation
    for name in [*emulation.settings, *emulation.urls] if emulation else ():
        if name not in fields:
            yield f"the emulation has {name}, which is no setting"
    for function in subject.functions:
        if function.credential is not None and function.credential not in fields:
            yield f"{function.name}: credential={function.credential!r} is no setting"


def _check_checks(subject: Subject) -> Iterator[str]:
    fields = subject.integration.credentials.model_fields
    door = subject.integration.name
    for name in subject.integration.checks:
        if name not in subject.secrets:
            yield f"@{door}.check({name!r}) is for no secret setting"
    for name in subject.secrets:
        extra = fields[name].json_schema_extra
        says_why = isinstance(extra, dict) and extra.get("unchecked")
        if bool(says_why) == (name in subject.integration.checks):
            yield (
                f"the setting {name} needs either a function under @{door}.check({name!r}), or"
                " setting(..., unchecked=...) that says why there is none"
            )


def _check_defaults(subject: Subject) -> Iterator[str]:
    """Find defaults that nobody could set: pydantic takes them as they are."""
    for name, field in subject.integration.credentials.model_fields.items():
        kind: Any = field.annotation
        if field.metadata:
            kind = Annotated[(kind, *field.metadata)]
        if field.is_required():
            continue
        try:
            TypeAdapter(kind).validate_python(field.get_default(call_default_factory=True))
        except ValidationError as error:
            words = error.errors()[0]["msg"].removeprefix("Value error, ")
            yield f"the setting {name} does not accept its own default: {words}"


CHECKS = (
    _check_names,
    _check_spellings_are_unique,
    _check_docstrings,
    _check_examples_are_lua,
    _check_fields_are_described,
    _check_unknown_fields_are_refused,
    _check_samples_are_valid,
    _check_schemas,
    _check_pages,
    _check_settings,
    _check_checks,
    _check_defaults,
)
