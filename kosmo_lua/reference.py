"""The docs: every page as Markdown, made from the declarations and from the guides beside this module."""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import DEFAULT, Accounts
from kosmo_lua.arguments import lua_literal
from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import (
    CODES,
    InvalidArguments,
    UnknownAccount,
    UnknownFunction,
    UnknownIntegration,
)
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.integration import Function, Integration

GUIDES = ("overview", "accounts", "errors", "examples")
FOUND = 10
"""docs.search shows so many pages."""


class Reference:
    """The pages of the docs: the guides, one for each integration, one for each function."""

    def __init__(self, catalog: Catalog, accounts: Accounts) -> None:
        self._catalog = catalog
        self._accounts = accounts

    def index(self) -> str:
        """List all pages."""
        lines = ["# Docs", "", "Read a page with `docs.read(page)`.", "", "## Integrations", ""]
        for integration in self._catalog.integrations.values():
            lines.append(f"- `{integration.name}`: {integration.summary}")
            lines += [
                f"  - `{f.full_name}` ({f.access}): {f.summary}" for f in _functions(integration)
            ]
        lines += ["", "## Guides", ""]
        lines += [f"- `{guide}`: {_title(self._guide(guide))}" for guide in GUIDES]
        return "\n".join(lines)

    def search(self, query: str) -> str:
        """List the pages that contain the words, those that contain most of them first."""
        words = query.lower().split()
        rated = []
        for page, title, text in self._pages():
            ratings = [_rating(word, page.lower(), title.lower(), text.lower()) for word in words]
            if any(ratings):
                rated.append((-sum(map(bool, ratings)), -sum(ratings), page, title))
        if not rated:
            return f'Nothing found for "{query}". docs.list() shows every page.'
        lines = [f"- `{page}`: {title}" for *_, page, title in sorted(rated)[:FOUND]]
        return "\n".join([f'Pages about "{query}":', "", *lines])

    def read(self, page: str) -> str:
        """Return a page, by any spelling of its name.

        Raises:
            InvalidArguments: there is no such page; names the nearest ones.
        """
        name = page.removeprefix("app.").removeprefix("integrations.")
        if name in GUIDES:
            return self._guide(name)
        if name in self._catalog.integrations:
            return self.integration(self._catalog.integrations[name])
        try:
            target = self._catalog.resolve(name)
        except (UnknownFunction, UnknownIntegration, UnknownAccount):
            raise self._no_page(page, name) from None
        return self.function(target.integration, target.function)

    def schema(self, name: str) -> JsonObject:
        """Return the JSON Schema of a function's parameters.

        Raises:
            UnknownIntegration, UnknownFunction: name the nearest ones.
        """
        function = self._catalog.resolve(name).function
        dialect = "https://json-schema.org/draft/2020-12/schema"
        return {"$schema": dialect, "title": function.full_name, **function.schema()}

    def integration(self, integration: "Integration[Any]") -> str:
        """Return the page of an integration."""
        lines = [f"# {integration.title}", "", integration.summary, ""]
        lines += [f"Lua namespace: `app.integrations.{integration.name}`.", "", "## Functions", ""]
        lines += ["| Function | Access | What it does |", "|---|---|---|"]
        for function in _functions(integration):
            names = ", ".join(f"`{name}`" for name in (function.name, *function.aliases))
            lines.append(f"| {names} | {function.access} | {function.summary} |")
        lines += [
            "",
            f'`docs.read("{integration.name}.FUNCTION")` has the parameters and an example.',
            "",
        ]
        lines += [
            "## Settings",
            "",
            "| Setting | Environment variable | Meaning |",
            "|---|---|---|",
        ]
        for name, field in integration.credentials.model_fields.items():
            variables = self._accounts.variables(integration, DEFAULT, name)
            shown = ", ".join(f"`{variable}`" for variable in variables if "__" not in variable)
            lines.append(f"| `{name}` | {shown} | {_cell(field.description)} |")
        return "\n".join([*lines, "", integration.guide]).rstrip() + "\n"

    def function(self, integration: "Integration[Any]", function: "Function") -> str:
        """Return the page of a function."""
        path = f"app.integrations.{function.full_name}"
        lines = [f"# {path}", "", function.summary, ""]
        lines += [function.description, ""] if function.description else []
        lines += [f"- Access: {_access(integration, function)}"]
        if function.credential:
            variable = self._accounts.variables(integration, DEFAULT, function.credential)[0]
            lines.append(f"- Credential: `{function.credential}` (`{variable}`)")
        lines.append(f"- Also spelt: {', '.join(f'`{s}`' for s in _spellings(function))}")
        lines += ["", "## Parameters", "", *_parameters(function)]
        for example in function.examples:
            lines += ["", "## Example", "", "```lua", example, "```"]
        lines += ["", "## On the command line", "", "```sh", _command(function), "```"]
        lines += ["", "## Returns", "", function.returns, "", "## Errors", ""]
        lines += _errors(function)
        lines += ["", f"Source: {function.source}"] if function.source else []
        return "\n".join(lines) + "\n"

    def _guide(self, name: str) -> str:
        text = (
            Path(__file__).with_name("guides").joinpath(f"{name}.md").read_text(encoding="utf-8")
        )
        return text.replace("{codes}", _codes())

    def _pages(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the title and the text of every page."""
        for integration in self._catalog.integrations.values():
            for function in integration.functions.values():
                names = f"{function.full_name} {' '.join(function.spellings)}"
                text = f"{names} {self.function(integration, function)}"
                yield function.full_name, function.summary, text
            yield integration.name, integration.summary, self.integration(integration)
        for guide in GUIDES:
            yield guide, _title(self._guide(guide)), self._guide(guide)

    def _no_page(self, page: str, name: str) -> InvalidArguments:
        pages = [*GUIDES, *self._catalog.integrations]
        for integration in self._catalog.integrations.values():
            for function in integration.functions.values():
                pages += [f"{integration.name}.{spelling}" for spelling in function.spellings]
        near = get_close_matches(name, pages, n=3, cutoff=0.5)
        suggestion = (
            f"Did you mean: {', '.join(near)}?" if near else "docs.list() shows every page."
        )
        return InvalidArguments(f'docs.read: there is no page "{page}". {suggestion}')


def _functions(integration: "Integration[Any]") -> list["Function"]:
    return [*integration.functions.values()]


def _title(markdown: str) -> str:
    return markdown.partition("\n")[0].removeprefix("# ")


def _rating(word: str, page: str, title: str, text: str) -> int:
    if word in page:
        return 100
    if word in title:
        return 50
    return min(text.count(word), 10)


def _access(integration: "Integration[Any]", function: "Function") -> str:
    if function.access == "read":
        return "read (allowed unless the policy says otherwise)"
    variable = f"KOSMO_{integration.name}_WRITE".upper()
    return f"write (needs approval: `--force`, `{variable}=allow`, or a yes when asked)"


def _spellings(function: "Function") -> list[str]:
    return [f"{function.integration}.{spelling}" for spelling in function.spellings]


def _parameters(function: "Function") -> list[str]:
    schema = function.schema()
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or not properties:
        return ["None."]
    lines = ["| Name | Type | Required | Description | Default |", "|---|---|---|---|---|"]
    for name, field in properties.items():
        facts = field if isinstance(field, dict) else {}
        needed = "yes" if isinstance(required, list) and name in required else "no"
        default = f"`{lua_literal(facts['default'])}`" if "default" in facts else ""
        kind, words = facts.get("type", "any"), _cell(facts.get("description"))
        lines.append(f"| `{name}` | {kind} | {needed} | {words} | {default} |")
    return lines


def _cell(text: object) -> str:
    """Return a text so that a table keeps its columns and its rows."""
    return " ".join(str(text or "").split()).replace("|", r"\|")


def sample(function: "Function") -> JsonObject:
    """Return valid arguments, from the examples of the parameters."""
    properties = function.schema().get("properties")
    fields = properties.items() if isinstance(properties, dict) else ()
    found = {name: f["examples"] for name, f in fields if isinstance(f, dict) and "examples" in f}
    return {name: values[0] for name, values in found.items() if isinstance(values, list)}


def _command(function: "Function") -> str:
    arguments = lua_literal(sample(function)).replace("'", "'\\''")
    force = " --force" if function.access == "write" else ""
    call = f"dump(app.integrations.{function.full_name}({arguments}))"
    return f"kosmo integrations:lua --eval '{call}'{force} --json"


def _errors(function: "Function") -> list[str]:
    codes = ["invalid_arguments"]
    codes += ["approval_required", "denied"] if function.access == "write" else ["denied"]
    codes += ["credentials_missing"] if function.credential else []
    codes += ["unreachable", "timed_out", "rate_limited", "service_error"]
    lines = [f"- `{code}`: {CODES[code].sentence}" for code in codes]
    return [*lines, "", '`docs.read("errors")` tells how to handle them.']


def _codes() -> str:
    rows = [f"| `{code}` | {m.exit_status} | {m.sentence} |" for code, m in CODES.items()]
    return "\n".join(["| Code | Exit status | Meaning |", "|---|---|---|", *rows])
