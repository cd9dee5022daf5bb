"""Backend: what a script reaches through `app` and `docs`. Each part is loaded when it is first used."""

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from kosmo_lua.options import Options

if TYPE_CHECKING:  # start-up: each is loaded by the property that needs it
    from kosmo_lua.accounts import Accounts
    from kosmo_lua.calls import Calls
    from kosmo_lua.calls.planning import UnsentCalls
    from kosmo_lua.calls.recording import Recording
    from kosmo_lua.calls.tape import Tape
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.catalog.servers import Servers
    from kosmo_lua.journal import Record
    from kosmo_lua.mcp.catalog import ServerCatalog
    from kosmo_lua.mcp.inspection import Inspection
    from kosmo_lua.policy import Ask, Policy
    from kosmo_lua.readiness import Readiness
    from kosmo_lua.reference import Reference
    from kosmo_lua.runs import Run
    from kosmo_lua.values import Json

_Calls = TypeVar("_Calls", bound="Calls")


class Backend:
    """The integrations, the MCP servers, the accounts, the docs, and the path of calls."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._tape: Tape | None = None
        self._direct_run: Run | None = None
        self._lock = Lock()

    @cached_property
    def installed(self) -> "Catalog":
        """The integrations and their functions, without MCP servers."""
        from kosmo_lua.catalog import Catalog  # noqa: PLC0415  # importlib.metadata, only for app and docs

        if self.options.integrations is not None:
            return self.chosen(Catalog(self.options.integrations))
        return self.chosen(Catalog.installed())

    def chosen(self, catalog: "Catalog") -> "Catalog":
        """Return what of a catalog may be used."""
        return catalog if self.options.only is None else catalog.only(self.options.only)

    @cached_property
    def catalog(self) -> "Catalog":
        """The integrations and the MCP servers, with their functions; no session stays open."""
        return self.installed.with_servers(lambda: self._servers(_forget, keep=False))

    @cached_property
    def mcp(self) -> "Inspection":
        """The MCP servers as they are configured."""
        from kosmo_lua.mcp.inspection import Inspection  # noqa: PLC0415  # only for the commands that show them

        return Inspection(self._configured_servers(_forget, keep=False))

    def _servers(self, record: "Record", *, keep: bool) -> "Servers":
        """Return the MCP servers, for the calls of one run, or for those who only ask about them."""
        if self.options.replay:
            from kosmo_lua.calls.recorded import RecordedServers  # noqa: PLC0415  # only here

            return RecordedServers(self._played())
        return self._configured_servers(record, keep=keep)

    def _configured_servers(self, record: "Record", *, keep: bool) -> "ServerCatalog":
        from kosmo_lua.mcp.catalog import ServerCatalog  # noqa: PLC0415  # only for app and docs

        return ServerCatalog.of(
            self.options.config,
            self.options.environ,
            forced=self.options.force,
            emulated=self.options.emulator_url is not None,
            tell=lambda group, running: record(["process", group, running]),
            keep=keep,
            only=self.options.servers,
        )

    @cached_property
    def accounts(self) -> "Accounts":
        """The accounts of the integrations."""
        if self.options.replay:
            from kosmo_lua.calls.recorded import RecordedAccounts  # noqa: PLC0415  # only here

            return RecordedAccounts(self._played())
        from kosmo_lua.accounts import Accounts  # noqa: PLC0415  # only for app

        url = self.options.emulator_url() if self.options.emulator_url else None
        return Accounts(self.options.environ, config=self.options.config, emulator_url=url)

    @cached_property
    def reference(self) -> "Reference":
        """The docs: what `docs.list`, `docs.search` and `docs.read` return."""
        from kosmo_lua.reference import Reference  # noqa: PLC0415  # only for docs

        return Reference(self.catalog, self.accounts)

    @property
    def readiness(self) -> "Readiness":
        """What is configured, and what is missing."""
        from kosmo_lua.readiness import Readiness  # noqa: PLC0415  # only for the commands that tell it

        return Readiness(self.catalog, self.accounts, self._policy(None))

    def begin(self) -> None:
        """Begin to run scripts: the recording is made anew, or the one to replay is read.

        Raises:
            UsageError, ConfigError: its file cannot be used.
        """
        if self.options.record:
            from kosmo_lua.calls import recording  # noqa: PLC0415  # only here

            recording.begin(self.options.record)
        if self.options.replay:
            self._tape = None
            self._played()

    @property
    def replays(self) -> bool:
        """Whether a recording answers the calls."""
        return self.options.replay is not None

    def _played(self) -> "Tape":
        if self._tape is None:
            from kosmo_lua.calls.tape import Tape  # noqa: PLC0415  # only here

            assert self.options.replay is not None, "there is one to play"
            self._tape = Tape.read(self.options.replay)
        return self._tape

    def calls(self, record: "Record", ask: "Ask | None") -> "Calls":
        """Return the path that the calls of scripts take, which holds their connections."""
        if self.options.replay:
            from kosmo_lua.calls.replay import ReplayedCalls  # noqa: PLC0415  # only here

            return ReplayedCalls(self.catalog, self._played(), record)
        return self._made(self._kind_of_calls(), record, ask, self._run(record))

    def direct_calls(self, record: "Record", ask: "Ask | None") -> "Calls":
        """Return a path that calls without a script take: on whatever threads, they are one run."""
        from kosmo_lua.calls import Calls  # noqa: PLC0415  # only for app

        with self._lock:
            self._direct_run = self._direct_run or self._run(record)
        return self._made(Calls, record, ask, self._direct_run)

    def unsent_calls(self, record: "Record") -> "UnsentCalls":
        """Return a path of calls without a script on which nothing is sent, of a run of their own."""
        from kosmo_lua.calls.planning import UnsentCalls  # noqa: PLC0415  # only here

        return self._made(UnsentCalls, record, None, self._run(record))

    def _made(
        self, kind: "type[_Calls]", record: "Record", ask: "Ask | None", run: "Run | None"
    ) -> "_Calls":
        from kosmo_lua.naming import check_names  # noqa: PLC0415  # only for app

        check_names(self.options.config, self.installed, self.accounts)
        return kind(
            self.installed.with_servers(lambda: self._servers(record, keep=True)),
            self.accounts,
            self._policy(ask),
            record,
            audited=self.options.audited,
            retry_budget=self.options.retry_budget,
            run=run,
            recording=self._recording(record),
        )

    def _kind_of_calls(self) -> "type[Calls]":
        if self.options.dry_run:
            from kosmo_lua.calls.planning import DryCalls  # noqa: PLC0415  # only here

            return DryCalls
        from kosmo_lua.calls import Calls  # noqa: PLC0415  # only for app

        return Calls

    def _recording(self, record: "Record") -> "Recording | None":
        if self.options.record is None:
            return None
        from kosmo_lua.calls.recording import Recording  # noqa: PLC0415  # only here

        return Recording(self.options.record, record)

    def _run(self, record: "Record") -> "Run | None":
        if self.options.run_id is None or self.options.dry_run:
            return None
        from kosmo_lua.runs import Run  # noqa: PLC0415  # only for a run that can be repeated

        emulated = self.options.emulator_url is not None
        run = Run.open(self.options.config.folder, self.options.run_id, emulated=emulated)
        if run.is_old:
            again = (
                "what it sends again may count twice, and events without a timestamp get that time"
            )
            name = f"the run {self.options.run_id} was started first at {run.time}"
            record(["warning", f"{name}: {again}; another run needs another ID"])
        return run

    def _policy(self, ask: "Ask | None") -> "Policy":
        from kosmo_lua.policy import Policy  # noqa: PLC0415  # only for app

        return Policy(
            self.options.environ,
            config=self.options.config,
            force=self.options.force,
            emulated=self.options.emulator_url is not None,
            read_only=self.options.read_only,
            ask=ask,
            remedy=self.options.remedy,
        )


def _forget(event: "list[Json]") -> None:
    """Record nothing: no run is there."""
