"""What the sandbox reaches: the calls of `app`, the names below it, and the helpers written in Python."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kosmo_lua.errors import ConfigError, InvalidArguments, KosmoError, UnknownFunction
from kosmo_lua.lua.convert import Pieces
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # loaded when a script touches app or docs, not before
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    from kosmo_lua.accounts import Accounts
    from kosmo_lua.calls import Calls
    from kosmo_lua.calls.call import Call
    from kosmo_lua.calls.pool import Outcome
    from kosmo_lua.calls.work import Queue, Work
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.dry_run import PlannedWrite
    from kosmo_lua.integration import Function
    from kosmo_lua.journal import Record
    from kosmo_lua.policy import Ask
    from kosmo_lua.reference import Reference

    class Backend(Protocol):
        """The parts of Kosmo that a script may use."""

        @property
        def catalog(self) -> Catalog:
            """The integrations."""

        @property
        def accounts(self) -> Accounts:
            """The accounts."""

        @property
        def reference(self) -> Reference:
            """The docs."""

        @property
        def replays(self) -> bool:
            """Whether a recording answers the calls, which is also told what was not called."""

        def calls(self, record: Record, ask: Ask | None) -> Calls:
            """Return the path that the calls of one run take."""


class Namespace:
    """The host of one sandbox. Nothing behind it is loaded before the script asks for it."""

    def __init__(self, backend: "Backend", record: "Record", ask: "Ask | None") -> None:
        self._backend = backend
        self._record = record
        self._ask = ask

    def close(self) -> None:
        """Close the connections of the scripts, and end their threads, if they made any."""
        if "_work" in self.__dict__:
            self._work.close()
        if "_calls" in self.__dict__:
            self._calls.close()

    @cached_property
    def _calls(self) -> "Calls":
        return self._backend.calls(self._record, self._ask)

    def _warn(self, problems: list[str]) -> None:
        """Say which integrations could not be loaded; the envelope has each sentence once."""
        for problem in problems:
            self._record(["warning", problem])

    def begin(self) -> None:
        """Begin a script: what the last one has left behind is forgotten."""
        if "_calls" in self.__dict__:
            self._calls.resume()

    def end(self, *, over: bool) -> None:
        """End a script. Events that wait go out; `over`: nothing more does, for a limit has ended it."""
        if "_work" in self.__dict__:
            self._work.end(over=over)
        if self._backend.replays:
            self._calls.finish()

    def abandon(self) -> None:
        """The run is over although its script goes on: nothing more is sent."""
        if "_calls" in self.__dict__:
            self._calls.stop()

    def call(self, path: str, arguments: Json) -> Json:
        """Call `integrations.segment.track` or `mcp.github.create_issue` with named arguments."""
        return self._calls.call(_known_root(path), arguments)

    def call_with(self, path: str, values: list[Json]) -> Json:
        """Call it with positional arguments."""
        return self._calls.call_with(_known_root(path), values)

    def submit(self, kind: str, path: str, values: Any) -> int:  # noqa: ANN401  # JSON, a list for `call_with`
        """Let a call go on by itself, a `call` or a `call_with`; return its number."""
        return self._work.concurrent.submit(self._prepared(kind, path, values))

    def _prepared(self, kind: str, path: str, values: Any) -> "Call":  # noqa: ANN401  # the same
        name = _known_root(path)
        if kind == "call_with":
            return self._calls.prepare_with(name, values)
        return self._calls.prepare(name, values)

    def wait(self) -> "tuple[int, Outcome | None]":
        """Return the number of a call that has ended, and what it has come to, if it was submitted."""
        return self._work.concurrent.wait()

    def open(self, path: str, kind: str, values: Any) -> int:  # noqa: ANN401  # the same
        """Begin to read a list; return its handle."""
        return self._work.iterations.open(self._prepared(kind, path, values))

    def forget(self, number: int) -> None:
        """Nobody collects a call."""
        self._work.concurrent.forget(number)

    def page(self, handle: int) -> int | None:
        """Return the number of the call that reads the next page of a list; None if it needs to be begun."""
        return self._work.iterations.page(handle)

    def rows(self, handle: int, *, ahead: bool) -> Pieces:
        """Return the page of a list whose call has ended; `ahead`: begin to read the one after it."""
        rows: Pieces = self._work.iterations.collect(handle, ahead=ahead)
        return rows

    def leave(self, handle: int) -> None:
        """Read a list no further."""
        self._work.iterations.close(handle)

    def gather(self, size: int | None = None, concurrency: int | None = None) -> int:
        """Begin a batch; return its handle."""
        return self._work.gather(size, concurrency)

    def queue(self, handle: int, path: str) -> "Queue":
        """Return what lets the events of a function wait for a batch."""
        return self._work.queue(handle, _known_root(path))

    def deliver(self, handle: int) -> "Json | PlannedWrite":
        """End a batch; return its report."""
        return self._work.deliver(handle)

    @property
    def requests(self) -> int:
        """How many requests the batches and the lists of the script have begun."""
        return self._work.requests.number if "_work" in self.__dict__ else 0

    @cached_property
    def _work(self) -> "Work":
        from kosmo_lua.calls.work import Work  # noqa: PLC0415  # threads, only for a script that needs them

        return Work(self._calls, self._record, Pieces)

    def members(self, path: str) -> JsonObject:
        """Return what a namespace contains; `aliases` maps a spelling to the name that it stands for."""
        kind, *names = path.split(".")
        if kind == "mcp":
            return self._servers() if not names else self._tools(path)
        catalog = self._backend.catalog
        if not names:
            return _members([], namespaces=catalog.names)
        integration = catalog.integrations.get(names[0])
        self._warn(catalog.problems_of(names[0]))
        functions = [*integration.functions.values()] if integration else []
        own, aliases = _names(functions)
        accounts = self._backend.accounts.names(names[0]) if len(names) == 1 else []
        for account in accounts:
            if account in own or account in aliases:
                message = f"the account {account} of {names[0]} has the name of a function"
                raise ConfigError(message, hint="Give the account another name.")
        return _members(functions, namespaces=accounts)

    def kind(self, path: str) -> str:
        """Return what Lua does when a path is called, in whatever spelling: `call`, `event` or `pages`."""
        try:
            return _kind(self._calls.catalog.resolve(_known_root(path)).function)
        except KosmoError:
            return "call"  # which says what is wrong with it

    def _servers(self) -> JsonObject:
        """Return the MCP servers, without contacting any."""
        servers = self._calls.catalog.servers
        self._warn([*servers.problems] if servers else [])
        return _members([], namespaces=servers.names if servers else ())

    def _tools(self, name: str) -> JsonObject:
        """Return the tools of an MCP server, `mcp.github`; one that nobody has listed is contacted."""
        return _members([*self._calls.catalog.integration(name).functions.values()])

    def helper(self, name: str) -> Callable[..., Json]:
        """Return a helper, a function of the Lua tables `docs`, `regex` and `mcp`, loaded and ready."""
        table, _, member = name.partition(".")
        if table == "regex":  # its prelude has checked the arguments
            return self._regex[member]
        from inspect import signature  # noqa: PLC0415  # not charged, as the integrations are not

        self._warn(self._backend.catalog.problems)
        function = (self._mcp if table == "mcp" else self._docs)[member]

        def checked(*values: Json) -> Json:
            try:
                signature(function).bind(*values)
            except TypeError as error:
                message = f"{name}: {error}"
                raise InvalidArguments(message) from None
            return function(*values)

        return checked

    @cached_property
    def _regex(self) -> "Mapping[str, Callable[..., Json]]":
        from kosmo_lua.lua.helpers import regex  # noqa: PLC0415  # loaded when first used

        return regex.functions()

    @cached_property
    def _docs(self) -> "Mapping[str, Callable[..., Json]]":
        from kosmo_lua.lua.helpers import docs  # noqa: PLC0415  # the same; it loads the integrations

        return docs.functions(self._backend.reference)

    @cached_property
    def _mcp(self) -> "Mapping[str, Callable[..., Json]]":
        from kosmo_lua.lua.helpers import mcp  # noqa: PLC0415  # the same

        return mcp.functions(self._calls.catalog)


def _members(functions: "list[Function]", namespaces: "Iterable[str]" = ()) -> JsonObject:
    own, aliases = _names(functions)
    return {"functions": own, "aliases": aliases, "namespaces": [*namespaces]}


def _names(functions: "list[Function]") -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the names of functions with their kinds, and the other spellings with what they mean."""
    own: dict[str, Json] = {function.name: _kind(function) for function in functions}
    aliases: dict[str, Json] = {
        alias: function.name
        for function in functions
        for alias in function.spellings[1:]
        if alias not in own
    }
    return own, aliases


def _kind(function: "Function") -> str:
    """Return what Lua does when a function is called."""
    if function.pages:
        return "pages"
    return "event" if function.event else "call"


_ROOTS = ("integrations", "mcp")


def _known_root(path: str) -> str:
    """Return a path below `app`, if it is below what `app` has; nothing else there can be called."""
    root, _, rest = path.partition(".")
    if root not in _ROOTS:
        from kosmo_lua.suggestions import nearest  # noqa: PLC0415  # only for a mistake

        near = nearest(root.lower(), _ROOTS)
        meant = f"{near[0]}.{rest}".rstrip(".") if near else f"integrations.{path}"
        message = f"unknown function app.{path}: app has integrations and mcp"
        raise UnknownFunction(message, hint=f"Did you mean app.{meant}?")
    return path
