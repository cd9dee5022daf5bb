"""Kosmo: the whole of kosmo as one object, for programs that embed it and for the command line."""

import os
from _thread import get_ident
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from kosmo_lua.backend import Backend
from kosmo_lua.config import Config
from kosmo_lua.errors import UsageError
from kosmo_lua.isolation import Isolation, Setup
from kosmo_lua.lua.limits import Limits
from kosmo_lua.options import Options
from kosmo_lua.options import retry_budget as budget
from kosmo_lua.session import Session
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # start-up: each is loaded by the method that needs it
    from kosmo_lua.accounts import Accounts
    from kosmo_lua.administration import Administration
    from kosmo_lua.answers import Answer
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.direct import Direct
    from kosmo_lua.emulator import Emulator
    from kosmo_lua.integration import Integration
    from kosmo_lua.mcp.inspection import Inspection
    from kosmo_lua.policy import Ask
    from kosmo_lua.progress import Progress
    from kosmo_lua.readiness import Readiness
    from kosmo_lua.reference import Reference
    from kosmo_lua.results import CallResult, Result
    from kosmo_lua.run_events import RunEvent


class Kosmo:
    """Runs Lua workflows and calls integrations.

        with Kosmo(emulator=True) as kosmo:
            result = kosmo.run("return app.integrations.segment.get_current_user().slug")
            user = kosmo.call("segment.get_current_user")

    Arguments:
        integrations: which ones there are; by default every installed one.
        only: the names of those that may be used, of an empty list none; by default all.
        servers: the names of the MCP servers that may be used; by default all that are configured.
        environ: where accounts and policy are read from; by default `os.environ`.
        config: the files of the user, and of a project; by default those of the user whom `environ` names by
            KOSMO_HOME, XDG_CONFIG_HOME or HOME, and of no project.
        emulator: call the integrations' emulators, started on loopback, instead of the services; those of
            another Kosmo, if it is given its `emulator`.
        emulator_port: the port of the emulators; 0, the default, takes any free one.
        force: lift the policies `ask` and `deny`; raises Denied where a file says `allow_force = false`.
        read_only: deny every write, whatever the policy says.
        ask: called for a call that needs approval, on the thread of the script; without it such a call fails.
        retry_budget: seconds for which a request is tried again after its first failure, where that does
            no harm; 0: never. By default KOSMO_RETRY_BUDGET of `environ`, else 60.
        run_id: repeats a run: what is sent has the same IDs as in an earlier run of this ID, so that a
            service drops what it already has.
        record: the file to which every call of a script is written with what it came to, without secrets.
            Each run, or session, begins it anew.
        replay: such a file, which answers the calls of a script: nothing is sent, and no account or approval
            is needed.
        dry_run: make the reads of a script and none of its writes; `Result.plan` has these. Nobody is asked.
        audit: the file to which every call is appended, for `kosmo_lua.audit`; by default there is none.
        limits: what a run may use.
        isolation: `"thread"` runs a script in a thread of this process; `"process"` in a process of its own,
            which can be ended in every case; `"fork"` the same in a child of this process, which must have
            no threads, as the `kosmo` command has none.
        remedy: returns the command that a hint names when approval is missing.
    """

    def __init__(  # noqa: PLR0913  # options, all with a default
        self,
        *,
        integrations: "Sequence[Integration[Any]] | None" = None,
        only: Sequence[str] | None = None,
        servers: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
        config: Config | None = None,
        emulator: "bool | Emulator" = False,
        emulator_port: int = 0,
        force: bool = False,
        read_only: bool = False,
        ask: "Ask | None" = None,
        retry_budget: float | None = None,
        run_id: str | None = None,
        record: str | None = None,
        replay: str | None = None,
        dry_run: bool = False,
        audit: str | None = None,
        limits: Limits | None = None,
        isolation: Isolation = "thread",
        remedy: Callable[[], str] | None = None,
    ) -> None:
        self.config = config or (Config.of_user() if environ is None else Config.of(environ))
        self._environ = environ = os.environ if environ is None else environ
        self._rehearses = bool(record or replay or dry_run)
        options = Options(
            environ,
            self.config,
            integrations=integrations,
            only=only,
            servers=servers,
            force=force,
            read_only=read_only,
            audited=audit is not None,
            retry_budget=budget(environ) if retry_budget is None else retry_budget,
            run_id=run_id,
            record=record,
            replay=replay,
            dry_run=dry_run,
            emulator_url=self._emulator_url if emulator else None,
            remedy=remedy,
        )
        self._backend = Backend(options.checked())
        self._emulate = bool(emulator)
        self._emulator = None if isinstance(emulator, bool) else emulator
        self._borrows = self._emulator is not None
        self._emulator_port = emulator_port
        self._ask = None if dry_run else ask
        self._audit = None if replay else audit
        self._limits = limits or Limits()
        self._limits.check()
        self._lock = Lock()
        self._isolation: Isolation = isolation
        self._direct: dict[int, Direct] = {}  # for each thread, as a call in progress is state

    def run(
        self,
        code: str | bytes,
        *,
        name: str = "eval",
        arguments: Sequence[str] = (),
        folders: Sequence[str] = (),
        on_output: Callable[[str], None] | None = None,
        on_event: "Callable[[RunEvent], None] | None" = None,
        on_progress: "Callable[[Progress], None] | None" = None,
    ) -> "Result":
        """Run a Lua program and return its Result; a failure of the script is in it, and is not raised.

        `name` is the file name that errors carry, `arguments` becomes the table `arg`, `folders` is where
        `require` looks for modules (nowhere by default). Who listens must be quick, as the limits are watched
        in between: `on_output` gets each printed text as it comes, `on_event` each thing that happens,
        `on_progress` how far the run is, ten times a second from the second second on. What they raise ends
        the run and is raised here.
        """
        with self.session() as session:
            return session.run(
                code,
                name=name,
                arguments=arguments,
                folders=folders,
                on_output=on_output,
                on_event=on_event,
                on_progress=on_progress,
            )

    def session(self, *, keep: bool = False) -> Session:
        """Return a session: one Lua state for several scripts.

        `keep` lets Ctrl-C stop a script and keep the state, as far as that is possible; it is for the main
        thread of a program, and `isolation="process"`.
        """
        emulator = (lambda: self.emulator) if self._emulate else None
        setup = Setup(
            self._backend,
            self._limits,
            ask=self._ask,
            emulator=emulator,
            audit=self._audit,
            keep=keep,
        )
        return Session(setup, self._isolation)

    def call(
        self, function: str, arguments: JsonObject | None = None, *, account: str = "default"
    ) -> Json:
        """Call a function, such as `segment.track`, and return what it returns.

        Raises:
            KosmoError: one of its kinds; `effect` says whether the service may have got the request.
        """
        return self._of_thread().call(function, arguments or {}, account)

    def attempt(
        self,
        function: str,
        arguments: JsonObject | None = None,
        *,
        account: str = "default",
        dry_run: bool = False,
        on_progress: "Callable[[Progress], None] | None" = None,
    ) -> "CallResult":
        """Call a function and return the outcome with its log; a failure is in it, and is not raised.

        Ctrl-C ends the call and is in the result, too: its `effect` says what is known. With `dry_run`
        everything is checked and nothing is sent: `data["request"]` is what would have been sent first.
        `on_progress` is as in `run`, and called on a thread of its own.
        """
        return self._of_thread().attempt(
            function, arguments or {}, account, dry_run=dry_run, on_progress=on_progress
        )

    def check(self, integration: str, account: str = "default") -> "Answer":
        """Check the credentials of an account, with requests that only read.

        The answer has the outcome for each credential, and an error when one does not work or none is set.

        Raises:
            KosmoError: there is no such integration or account, or a setting cannot be used.
        """
        from kosmo_lua.checking import check_account  # noqa: PLC0415  # only here

        self._refuse_rehearsal()
        calls = self._backend.calls(_forget, None)
        try:
            return check_account(self.catalog, self.accounts, calls, integration, account)
        finally:
            calls.close()

    def _of_thread(self) -> "Direct":
        from kosmo_lua.direct import Direct  # noqa: PLC0415  # only for calls without a script

        self._refuse_rehearsal()
        made = Direct(
            self._backend,
            ask=self._ask,
            audit=self._audit,
        )
        return self._direct.setdefault(get_ident(), made)

    def _refuse_rehearsal(self) -> None:
        if self._rehearses:
            message = "record, replay and dry_run are for scripts, and this is a call without one"
            hint = "Use another Kosmo, or attempt(..., dry_run=True)."
            raise UsageError(message, hint=hint)

    @property
    def catalog(self) -> "Catalog":
        """The integrations and their functions."""
        return self._backend.catalog

    @property
    def accounts(self) -> "Accounts":
        """The accounts of the integrations."""
        return self._backend.accounts

    @property
    def mcp(self) -> "Inspection":
        """The MCP servers: which there are, what they offer, and what is wrong with them."""
        return self._backend.mcp

    @property
    def readiness(self) -> "Readiness":
        """What is configured, and what is missing."""
        return self._backend.readiness

    @property
    def reference(self) -> "Reference":
        """The docs: what `docs.list`, `docs.search` and `docs.read` return."""
        return self._backend.reference

    @cached_property
    def administration(self) -> "Administration":
        """What the environment and the files say about accounts, policy and limits."""
        from kosmo_lua.administration import Administration  # noqa: PLC0415  # only to look them up

        return Administration(self.catalog, self.config, self._environ)

    @property
    def emulator(self) -> "Emulator":
        """The emulator; its socket is bound here, and it answers once a run or a call needs it."""
        with self._lock:  # two threads may come here at once, and must get the same one
            if self._emulator is None:
                self._emulator = self._made_emulator()
            return self._emulator

    def _made_emulator(self) -> "Emulator":
        from kosmo_lua.emulator import Emulator  # noqa: PLC0415  # only with emulator=True

        services = {
            integration.name: integration.emulation.service
            for integration in self.catalog.integrations.values()
            if integration.emulation
        }
        return Emulator(services, port=self._emulator_port)

    @property
    def emulator_environ(self) -> dict[str, str]:
        """The environment variables with which another process uses this emulator."""
        from kosmo_lua.accounts import emulated  # noqa: PLC0415  # only with emulator=True

        return {
            f"KOSMO_{integration.name}_{name}".upper(): value
            for integration in self.catalog.integrations.values()
            if integration.emulation
            for name, value in {
                **emulated(integration, self.emulator.url),
                "write": "allow",
            }.items()
        }

    def _emulator_url(self) -> str:
        if self._isolation != "fork":  # there the child must be forked before
            self.emulator.start()
        return self.emulator.url

    def close(self) -> None:
        """Close connections and stop the emulator."""
        while self._direct:
            self._direct.popitem()[1].close()
        if self._emulator and not self._borrows:
            self._emulator.stop()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _forget(event: list[Json]) -> None:
    """Record nothing: a check has no log."""
