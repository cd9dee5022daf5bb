"""Backend: what a script reaches through `app` and `docs`. Each part is loaded when it is first used."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kosmo_lua.config import Config
from kosmo_lua.errors import ConfigError, UsageError
from kosmo_lua.values import JsonObject

if TYPE_CHECKING:  # start-up: each is loaded by the property that needs it
    from kosmo_lua.accounts import Accounts
    from kosmo_lua.calls import Calls
    from kosmo_lua.calls.planning import UnsentCalls
    from kosmo_lua.calls.recording import Recording
    from kosmo_lua.calls.tape import Tape
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.catalog.servers import Servers
    from kosmo_lua.integration import Integration
    from kosmo_lua.journal import Record
    from kosmo_lua.mcp import Inspection, ServerCatalog
    from kosmo_lua.policy import Ask, Policy
    from kosmo_lua.readiness import Readiness
    from kosmo_lua.reference import Reference
    from kosmo_lua.runs import Run
    from kosmo_lua.values import Json

_Calls = TypeVar("_Calls", bound="Calls")

RETRY_BUDGET = 60.0
"""Seconds for which a request is tried again after its first failure."""


class Backend:
    """The integrations, the accounts, the docs, and the path of calls.

    Arguments:
        environ: where accounts and policy are read from, before the files of `config`.
        config: the user's files and the project's; by default there are none.
        integrations: which ones there are; by default every installed one.
        only: the names of those that may be used; None: all.
        servers: the names of the MCP servers that may be used; None: all.
        force: lift the policies `ask` and `deny`.
        read_only: deny every write.
        audited: record a hash of the arguments of each call.
        retry_budget: seconds for which a request is tried again after its first failure; by default
            KOSMO_RETRY_BUDGET of `environ`, else 60.
        run_id: what is sent has the same IDs as in an earlier run of this ID.
        record: the file to which the calls are written.
        replay: the file that answers the calls; nothing is sent, and no account is needed.
        dry_run: make reads, and plan writes.
        emulator_url: returns where the emulator answers, when calls go there.
        remedy: returns the command that a hint names when approval is missing.
    """

    def __init__(  # noqa: PLR0913  # options, all with a default
        self,
        environ: Mapping[str, str],
        *,
        config: Config | None = None,
        integrations: "Sequence[Integration[Any]] | None" = None,
        only: Sequence[str] | None = None,
        servers: Sequence[str] | None = None,
        force: bool = False,
        read_only: bool = False,
        audited: bool = False,
        retry_budget: float | None = None,
        run_id: str | None = None,
        record: str | None = None,
        replay: str | None = None,
        dry_run: bool = False,
        emulator_url: Callable[[], str] | None = None,
        remedy: Callable[[], str] | None = None,
    ) -> None:
        self._environ = environ
        self._config = config or Config()
        self._read_only = read_only
        self._audited = audited
        self._retry_budget = _retry_budget(environ) if retry_budget is None else retry_budget
        self._run_id = None if dry_run else run_id
        self._record = record
        self._replay = replay
        self._tape: Tape | None = None
        self._dry_run = dry_run
        self._direct_run: Run | None = None
        self._lock = Lock()
        self._integrations = integrations
        self._only = only
        self._server_names = servers
        self._force = force
        self._emulator_url = emulator_url
        self._remedy = remedy

    @cached_property
    def installed(self) -> "Catalog":
        """The integrations and their functions, without MCP servers."""
        from kosmo_lua.catalog import Catalog  # noqa: PLC0415  # importlib.metadata, only for app and docs

        if self._integrations is not None:
            return self.chosen(Catalog(self._integrations))
        return self.chosen(Catalog.installed())

    def chosen(self, catalog: "Catalog") -> "Catalog":
        """Return what of a catalog may be used."""
        return catalog if self._only is None else catalog.only(self._only)

    @cached_property
    def catalog(self) -> "Catalog":
        """The integrations and the MCP servers, with their functions; no session stays open."""
        return self.installed.with_servers(self._servers(_forget, keep=False))

    @cached_property
    def mcp(self) -> "Inspection":
        """The MCP servers as they are configured."""
        from kosmo_lua.mcp import Inspection  # noqa: PLC0415  # only for the commands that show them

        return Inspection(self._configured_servers(_forget, keep=False))

    def _servers(self, record: "Record", *, keep: bool) -> "Servers":
        """Return the MCP servers, for the calls of one run, or for those who only ask about them."""
        if self._replay:
            from kosmo_lua.calls.recorded import RecordedServers  # noqa: PLC0415  # only here

            return RecordedServers(self._played())
        return self._configured_servers(record, keep=keep)

    def _configured_servers(self, record: "Record", *, keep: bool) -> "ServerCatalog":
        from kosmo_lua.mcp import ServerCatalog  # noqa: PLC0415  # only for app and docs

        return ServerCatalog.of(
            self._config,
            self._environ,
            forced=self._force,
            emulated=self._emulator_url is not None,
            tell=lambda group, running: record(["process", group, running]),
            keep=keep,
            only=self._server_names,
        )

    @cached_property
    def accounts(self) -> "Accounts":
        """The accounts of the integrations."""
        if self._replay:
            from kosmo_lua.calls.recorded import RecordedAccounts  # noqa: PLC0415  # only here

            return RecordedAccounts(self._played())
        from kosmo_lua.accounts import Accounts  # noqa: PLC0415  # only for app

        url = self._emulator_url() if self._emulator_url else None
        return Accounts(self._environ, config=self._config, emulator_url=url)

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
        if self._record:
            from kosmo_lua.calls import recording  # noqa: PLC0415  # only here

            recording.begin(self._record)
        if self._replay:
            self._tape = None
            self._played()

    @property
    def replays(self) -> bool:
        """Whether a recording answers the calls."""
        return self._replay is not None

    def _played(self) -> "Tape":
        if self._tape is None:
            from kosmo_lua.calls.tape import Tape  # noqa: PLC0415  # only here

            assert self._replay is not None, "there is one to play"
            self._tape = Tape.read(self._replay)
        return self._tape

    def calls(self, record: "Record", ask: "Ask | None") -> "Calls":
        """Return the path that the calls of scripts take, which holds their connections."""
        if self._replay:
            from kosmo_lua.calls.replay import ReplayedCalls  # noqa: PLC0415  # only here

            return ReplayedCalls(self.catalog, self._played(), record)
        return self._made(self._kind_of_calls(), record, ask, self._run())

    def direct_calls(self, record: "Record", ask: "Ask | None") -> "Calls":
        """Return a path that calls without a script take: on whatever threads, they are one run."""
        from kosmo_lua.calls import Calls  # noqa: PLC0415  # only for app

        with self._lock:
            self._direct_run = self._direct_run or self._run()
        return self._made(Calls, record, ask, self._direct_run)

    def unsent_calls(self, record: "Record") -> "UnsentCalls":
        """Return a path of calls without a script on which nothing is sent, of a run of their own."""
        from kosmo_lua.calls.planning import UnsentCalls  # noqa: PLC0415  # only here

        return self._made(UnsentCalls, record, None, self._run())

    def _made(
        self, kind: "type[_Calls]", record: "Record", ask: "Ask | None", run: "Run | None"
    ) -> "_Calls":
        from kosmo_lua.naming import check_names  # noqa: PLC0415  # only for app

        check_names(self._config, self.installed)
        return kind(
            self.installed.with_servers(self._servers(record, keep=True)),
            self.accounts,
            self._policy(ask),
            record,
            audited=self._audited,
            retry_budget=self._retry_budget,
            run=run,
            recording=self._recording(record),
        )

    def _kind_of_calls(self) -> "type[Calls]":
        if self._dry_run:
            from kosmo_lua.calls.planning import DryCalls  # noqa: PLC0415  # only here

            return DryCalls
        from kosmo_lua.calls import Calls  # noqa: PLC0415  # only for app

        return Calls

    def _recording(self, record: "Record") -> "Recording | None":
        if self._record is None:
            return None
        from kosmo_lua.calls.recording import Recording  # noqa: PLC0415  # only here

        return Recording(self._record, record)

    def _run(self) -> "Run | None":
        if self._run_id is None:
            return None
        from kosmo_lua.runs import Run  # noqa: PLC0415  # only for a run that can be repeated

        return Run.open(self._config.folder, self._run_id)

    def _policy(self, ask: "Ask | None") -> "Policy":
        from kosmo_lua.policy import Policy  # noqa: PLC0415  # only for app

        return Policy(
            self._environ,
            config=self._config,
            force=self._force,
            emulated=self._emulator_url is not None,
            read_only=self._read_only,
            ask=ask,
            remedy=self._remedy,
        )

    def to_json(self) -> JsonObject:
        """Return it as JSON, to be made again in another process.

        Raises:
            UsageError: part of it is a Python object.
        """
        if self._integrations is not None:
            message = "integrations given as Python objects cannot cross to another process"
            raise UsageError(message, hint='Use isolation="thread", or install them as packages.')
        return {
            "environ": {**self._environ},
            "only": None if self._only is None else [*self._only],
            "servers": None if self._server_names is None else [*self._server_names],
            "config": [self._config.folder, self._config.project_path, self._config.root],
            "force": self._force,
            "read_only": self._read_only,
            "audited": self._audited,
            "retry_budget": self._retry_budget,
            "run_id": self._run_id,
            "record": self._record,
            "replay": self._replay,
            "dry_run": self._dry_run,
            "emulator_url": self._emulator_url() if self._emulator_url else None,
            "remedy": self._remedy() if self._remedy else None,
        }

    @classmethod
    def from_json(  # noqa: PLR0913  # the fields of the JSON
        cls,
        environ: Mapping[str, str],
        *,
        only: list[str] | None,
        servers: list[str] | None,
        config: list[str | None],
        force: bool,
        read_only: bool,
        audited: bool,
        retry_budget: float,
        run_id: str | None,
        record: str | None,
        replay: str | None,
        dry_run: bool,
        emulator_url: str | None,
        remedy: str | None,
    ) -> Self:
        """Make it of the JSON of another process."""
        return cls(
            environ,
            only=only,
            servers=servers,
            config=Config(*config),
            force=force,
            read_only=read_only,
            audited=audited,
            retry_budget=retry_budget,
            run_id=run_id,
            record=record,
            replay=replay,
            dry_run=dry_run,
            emulator_url=(lambda: emulator_url) if emulator_url else None,
            remedy=None if remedy is None else lambda: remedy,
        )


def _forget(event: "list[Json]") -> None:
    """Record nothing: no run is there."""


def _retry_budget(environ: Mapping[str, str]) -> float:
    text = environ.get("KOSMO_RETRY_BUDGET", "").strip() or str(RETRY_BUDGET)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        message = "KOSMO_RETRY_BUDGET must be a number of seconds, 0 or more"
        raise ConfigError(message, hint="For example: KOSMO_RETRY_BUDGET=20")
    return seconds
