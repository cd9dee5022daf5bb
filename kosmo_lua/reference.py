"""The docs: every page as Markdown, made from the declarations and from the guides beside this module."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kosmo_lua import pages
from kosmo_lua.accounts import Accounts
from kosmo_lua.answers import (
    Example,
    Examples,
    Found,
    FunctionEntry,
    FunctionSchema,
    Listing,
    Page,
    PageEntry,
    Provider,
)
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.errors import (
    CODES,
    InvalidArguments,
    UnknownAccount,
    UnknownFunction,
    UnknownIntegration,
)
from kosmo_lua.readiness import is_configured
from kosmo_lua.suggestions import nearest
from kosmo_lua.values import MCP_PREFIX

if TYPE_CHECKING:  # only named here
    from kosmo_lua.integration import Function, Integration

GUIDES = ("overview", "accounts", "delivery", "mcp", "errors", "examples")
MOST_WORDS = 50
"""Words of a query that are looked for."""
FOUND = 10
"""docs.search shows so many pages."""


class Reference:
    """The pages of the docs: the guides, one for each integration, one for each function."""

    def __init__(self, catalog: Catalog, accounts: Accounts) -> None:
        self._catalog = catalog
        self._accounts = accounts

    def index(self, *, reader: str = "docs.read(page)") -> str:
        """List all pages; `reader` is what reads one."""
        lines = ["# Docs", "", f"Read a page with `{reader}`."]
        lines += ["", "## Integrations", ""] if self._catalog.integrations else []
        for integration in self._catalog.integrations.values():
            lines.append(f"- `{integration.name}`: {integration.summary}")
            lines += [
                f"  - `{f.full_name}` ({f.access}): {f.summary}" for f in _functions(integration)
            ]
        lines += [*self._servers(), "", "## Guides", ""]
        lines += [f"- `{guide}`: {_title(self._guide(guide))}" for guide in GUIDES]
        return "\n".join(lines)

    def _servers(self) -> Iterator[str]:
        """List the MCP servers, those that are known with their tools; none is contacted."""
        servers = self._catalog.servers
        names = servers.names if servers else ()
        yield from ["", "## MCP servers", ""] if names else []
        for name in names:
            known = servers.known(name) if servers else None
            about = known.summary if known else "not contacted yet, so its tools are not known."
            yield f"- `mcp.{name}`: {about}"
            for function in _functions(known) if known else ():
                yield f"  - `{function.full_name}` ({function.access}): {function.summary}"

    def contents(self) -> Page:
        """Return the list of all pages, for people at a shell."""
        text = self.index(reader="kosmo integrations:docs PAGE")
        return Page("index", _title(text), text)

    def listing(self) -> Listing:
        """List the integrations with their functions, and say which are configured."""
        return Listing(
            {
                each.name: Provider(
                    title=each.title,
                    summary=each.summary,
                    active=True,
                    configured=is_configured(each, self._accounts),
                    functions=tuple(_entry(function) for function in _functions(each)),
                )
                for each in self._catalog.integrations.values()
            }
        )

    def search(self, query: str, *, otherwise: str = "docs.list() shows every page.") -> str:
        """List the pages that contain the words, those that contain most of them first.

        `otherwise` is what to do where there is none.
        """
        found = self._ranked(query)[:FOUND]
        if not found:
            return f'Nothing found for "{query}". {otherwise}'
        lines = [f"- `{page}`: {title}" for page, title in found]
        return "\n".join([f'Pages about "{query}":', "", *lines])

    def find(self, query: str, limit: int = 20) -> Found:
        """Find the functions, at most `limit`, and the other pages that contain the words, the best first."""
        ranked = self._ranked(query)
        known = {f.full_name: f for each in self._catalog.known for f in _functions(each)}
        functions = [_entry(known[entry.page]) for entry in ranked if entry.page in known]
        others = [entry for entry in ranked if entry.page not in known]
        return Found(query, tuple(functions[:limit]), tuple(others))

    def _ranked(self, query: str) -> list[PageEntry]:
        words = [*dict.fromkeys(query.lower().split())][:MOST_WORDS]
        rated = []
        for page, title, text in self._pages():
            ratings = [_rating(word, page.lower(), title.lower(), text.lower()) for word in words]
            if any(ratings):
                rated.append((-sum(map(bool, ratings)), -sum(ratings), page, title))
        return [PageEntry(page, title) for *_, page, title in sorted(rated)]

    def read(self, page: str) -> str:
        """Return the Markdown of a page, by any spelling of its name, as `docs.read` does.

        Raises:
            InvalidArguments: there is no such page; names the nearest ones.
        """
        try:
            return self.page(page).markdown
        except InvalidArguments as error:
            fallback = "" if "Did you mean" in error.message else " docs.list() shows every page."
            error.message, error.hint = f"docs.read: {error.message}{fallback}", None
            raise

    def page(self, page: str) -> Page:
        """Return a page with its name and title, by any spelling of its name.

        Raises:
            InvalidArguments: there is no such page; names the nearest ones.
        """
        match self._about(page):
            case str() as guide:
                text = self._guide(guide)
                return Page(guide, _title(text), text)
            case Target(integration=integration, function=function):
                text = self.function(integration, function)
                return Page(function.full_name, function.summary, text)
            case integration:
                return Page(integration.name, integration.title, self.integration(integration))

    def examples(self, page: str) -> Examples:
        """Return the examples of a function, or of all functions of an integration.

        Raises:
            InvalidArguments: there is no such page, or it is a guide.
        """
        match self._about(page):
            case str() as guide:
                message = f"{guide} is a guide: examples are those of an integration or a function"
                raise InvalidArguments(message, hint=f"Read it: kosmo integrations:docs {guide}")
            case Target(function=function):
                return Examples(function.full_name, tuple(_examples(function)))
            case integration:
                functions = _functions(integration)
                return Examples(
                    integration.name, tuple(e for f in functions for e in _examples(f))
                )

    def schema(self, name: str) -> FunctionSchema:
        """Return the JSON Schema of a function's parameters.

        Raises:
            UnknownIntegration, UnknownFunction: name the nearest ones.
        """
        function = self._catalog.resolve(name).function
        dialect = "https://json-schema.org/draft/2020-12/schema"
        schema = {"$schema": dialect, "title": function.full_name, **function.schema()}
        return FunctionSchema(function.full_name, schema)

    def _about(self, page: str) -> "str | Target | Integration[Any]":
        """Find what a page is about: a guide, by its name, an integration, or a function of one."""
        name = page.removeprefix("app.").removeprefix("integrations.")
        if name in GUIDES:
            return name
        if name in self._catalog.integrations:
            return self._catalog.integrations[name]
        try:
            if name.startswith(MCP_PREFIX) and name.count(".") == 1:
                return self._catalog.integration(name)
            return self._catalog.resolve(name)
        except (UnknownFunction, UnknownIntegration, UnknownAccount):
            raise self._no_page(page, name) from None

    def integration(self, integration: "Integration[Any]") -> str:
        """Return the page of an integration."""
        return pages.integration(integration, self._accounts)

    def function(self, integration: "Integration[Any]", function: "Function") -> str:
        """Return the page of a function."""
        return pages.function(integration, function, self._accounts)

    def _guide(self, name: str) -> str:
        text = (
            Path(__file__).with_name("guides").joinpath(f"{name}.md").read_text(encoding="utf-8")
        )
        return text.replace("{codes}", _codes())

    def _pages(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the title and the text of every page; of MCP servers those that are known."""
        for integration in self._catalog.known:
            for function in integration.functions.values():
                names = f"{function.full_name} {' '.join(function.spellings)}"
                text = f"{names} {self.function(integration, function)}"
                yield function.full_name, function.summary, text
            yield integration.name, integration.summary, self.integration(integration)
        for guide in GUIDES:
            yield guide, _title(self._guide(guide)), self._guide(guide)

    def _no_page(self, page: str, name: str) -> InvalidArguments:
        known = [*GUIDES, *(integration.name for integration in self._catalog.known)]
        for integration in self._catalog.known:
            for function in integration.functions.values():
                known += [f"{integration.name}.{spelling}" for spelling in function.spellings]
        near = nearest(name, known, like=0.5)
        suggestion = f" Did you mean: {', '.join(near)}?" if near else ""
        message = f'there is no page "{page}".{suggestion}'
        return InvalidArguments(message, hint="List every page: kosmo integrations:docs")


def _functions(integration: "Integration[Any]") -> list["Function"]:
    return [*integration.functions.values()]


def _entry(function: "Function") -> FunctionEntry:
    return FunctionEntry(function.full_name, function.access, function.summary)


def _examples(function: "Function") -> Iterator[Example]:
    for lua in function.examples:
        yield Example(function.full_name, lua, pages.command(function))


def _title(markdown: str) -> str:
    return markdown.partition("\n")[0].removeprefix("# ")


def _rating(word: str, page: str, title: str, text: str) -> int:
    if word in page:
        return 100
    if word in title:
        return 50
    return min(text.count(word), 10)


def _codes() -> str:
    rows = [f"| `{code}` | {m.exit_status} | {m.sentence} |" for code, m in CODES.items()]
    return "\n".join(["| Code | Exit status | Meaning |", "|---|---|---|", *rows])
