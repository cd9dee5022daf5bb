"""Code mode: four tools, whatever the number of integrations. Reads and writes are tools of their own."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from kosmo_lua.arguments import check
from kosmo_lua.catalog import Catalog
from kosmo_lua.errors import InvalidArguments, KosmoError
from kosmo_lua.gateway.offer import Offer
from kosmo_lua.gateway.replies import error_reply, reply, text_reply
from kosmo_lua.gateway.scripts import Scripts, Ticket
from kosmo_lua.gateway.tools import Reply, Tool
from kosmo_lua.reference import GUIDES
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # only named here
    from kosmo_lua.kosmo import Kosmo

LISTED = 1200
"""Characters that the list of integrations may take; an agent reads it before its first question."""

INDEX = "index"

_ALL_PAGES = f"read_doc {INDEX} lists all pages."


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    query: str = Field(description="Words to look for, such as `list persons`.", min_length=1)


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    page: str = Field(
        description="An integration, a function such as `NAME.FUNCTION`, a guide, or `index`.",
        min_length=1,
    )


class _Code(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(description="The Lua script.", min_length=1)


INSTRUCTIONS = """kosmo calls SaaS APIs from Lua scripts in a sandbox.
1. search_docs finds functions by words. 2. read_doc shows a function's parameters and an example.
3. run_read runs a script that only reads; writes are refused there.{write}
Do many calls, and the filtering of their answers, in one script, and return only what you need.
Integrations: {names}."""

SEARCH = """Find functions and guides of kosmo by words. Begin here: names and parameters cannot be guessed.
{integrations}"""

READ = """Read a page of the docs before you call a function: its parameters, what it returns, an example. \
Guides: {guides}."""

RUN_READ = """Run a Lua 5.4 script that only reads: every write is refused (`denied`).
- Call: app.integrations.NAME.FUNCTION{field = value}; of another account: \
app.integrations.NAME.ACCOUNT.FUNCTION{}; of an MCP server: app.mcp.NAME.TOOL{}.
- Lists: for item in app.integrations.NAME.each_ITEM{} do ... end.
- `return` a value, or print. Errors are tables with code, hint and effect; pcall catches them.
- Helpers: json, regex, docs, parallel, batch (read_doc overview). Each script starts anew, without files \
and network."""

RUN_WRITE = """Run a Lua 5.4 script that may also write; it is like run_read otherwise. Try the reads in \
run_read first. What the user's policy denies stays denied. After an error look at call_log: its `effect` \
says what was sent; do not repeat what is `sent` or `unknown`."""


class CodeTools:
    """The four tools; `writer` None takes run_write away."""

    def __init__(
        self, reader: "Kosmo", writer: "Kosmo | None", scripts: Scripts, offer: Offer
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._scripts = scripts
        self._offer = offer
        self._calls: dict[str, Callable[[JsonObject, Ticket], Reply]] = {
            "search_docs": self._search,
            "read_doc": self._read,
            "run_read": lambda arguments, ticket: self._run(reader, arguments, ticket),
        }
        if writer:
            self._calls["run_write"] = lambda arguments, ticket: self._run(
                writer, arguments, ticket
            )

    @property
    def instructions(self) -> str:
        """How to work with them; loads no integration."""
        write = " 4. run_write runs one that writes, too." if self._writer else ""
        names = _joined(_names(self._reader.catalog), LISTED)
        return INSTRUCTIONS.format(write=write, names=names or "none are installed")

    def tools(self) -> list[Tool]:
        """Return the tools; loads the integrations, to say what each is."""
        search = SEARCH.format(integrations=summaries(self._reader.catalog))
        read = READ.format(guides=", ".join((INDEX, *GUIDES)))
        tools = [
            Tool("search_docs", "Search the docs", search, _schema(_Query), remote=False),
            Tool("read_doc", "Read a page of the docs", read, _schema(_Page), remote=False),
            Tool("run_read", "Run a script that reads", RUN_READ, _schema(_Code)),
            Tool("run_write", "Run a script that writes", RUN_WRITE, _schema(_Code), writes=True),
        ]
        return [tool for tool in tools if tool.name in self._calls]

    def call(self, name: str, arguments: JsonObject, ticket: Ticket) -> Reply | None:
        """Call a tool; None: there is none of this name."""
        if name not in self._calls:
            return None
        try:
            return self._calls[name](arguments, ticket)
        except KosmoError as error:
            return error_reply(error, self._offer.max_result_chars)

    def _search(self, arguments: JsonObject, _: Ticket) -> Reply:
        query = check(_Query, arguments).query
        found = self._reader.reference.search(query, otherwise=_ALL_PAGES)
        return text_reply(found, self._offer.max_result_chars)

    def _read(self, arguments: JsonObject, _: Ticket) -> Reply:
        page, most = check(_Page, arguments).page, self._offer.max_result_chars
        if page == INDEX:
            return text_reply(self._reader.reference.index(reader="read_doc"), most)
        try:
            return text_reply(self._reader.reference.page(page).markdown, most)
        except InvalidArguments as error:
            error.hint = _ALL_PAGES
            raise

    def _run(self, kosmo: "Kosmo", arguments: JsonObject, ticket: Ticket) -> Reply:
        code = check(_Code, arguments).code
        result = self._scripts.run(kosmo, code, ticket, name="script")
        return reply(result, self._offer.max_result_chars)


def summaries(catalog: Catalog) -> str:
    """List the integrations and the MCP servers with a line each, or, of many, as many names as fit.

    No server is contacted to be listed.
    """
    lines = {each.name: each.summary for each in catalog.known}
    lines = dict.fromkeys(_names(catalog), "an MCP server.") | lines
    text = "\n".join(f"- {name}: {summary}" for name, summary in lines.items())
    if len(text) <= LISTED:
        return f"Integrations:\n{text}"
    return f"Integrations: {_joined([*lines], LISTED)}."


def _names(catalog: Catalog) -> list[str]:
    """Return the names of the integrations, and of the MCP servers as they are below app; loads none."""
    servers = catalog.servers.names if catalog.servers else ()
    return [*catalog.names, *(f"mcp.{name}" for name in servers)]


def _joined(names: Sequence[str], room: int) -> str:
    """Join names with commas, as many as fit."""
    shown = list[str]()
    for name in names:
        room -= len(name) + 2
        if room < 0:
            return f"{', '.join(shown)} and {len(names) - len(shown):,} more (search_docs)"
        shown.append(name)
    return ", ".join(shown)


def _schema(model: type[BaseModel]) -> JsonObject:
    """Return the JSON Schema of a model without the titles, which say nothing new."""
    schema = model.model_json_schema()
    properties = {
        name: {key: value for key, value in field.items() if key != "title"}
        for name, field in schema["properties"].items()
    }
    return {
        "type": "object",
        "properties": properties,
        "required": schema["required"],
        "additionalProperties": False,
    }
