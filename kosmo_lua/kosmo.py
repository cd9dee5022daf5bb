"""Kosmo: the whole of kosmo as one object, for programs that embed it and for the command line."""

import os
import time
from _thread import get_ident
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from kosmo_lua.errors import KosmoError
from kosmo_lua.lua.limits import Limits
from kosmo_lua.lua.script import Script
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # start-up: each is loaded by the method that needs it
    from kosmo_lua.accounts import Accounts
    from kosmo_lua.calls import Calls
    from kosmo_lua.catalog import Catalog
    from kosmo_lua.emulator import Emulator
    from kosmo_lua.integration import Integration
    from kosmo_lua.journal import Record, Recorder
    from kosmo_lua.lua.limits import Budget
    from kosmo_lua.lua.process import Child
    from kosmo_lua.policy import Ask, Question
    from kosmo_lua.reference import Reference
    from kosmo_lua.results import Result

    MakeRecorder = Callable[[], Recorder]

Isolation = Literal["thread", "fork"]


class Kosmo:
    """Runs Lua workflows and calls integrations.

        with Kosmo(emulator=True) as kosmo:
            result = kosmo.run("return app.integrations.segment.get_current_user().slug")
            user = kosmo.call("segment.get_current_user")

    Arguments:
        integrations: which ones there are; by default every installed one.
        environ: where accounts and policy are read from; by default `os.environ`.
        emulator: call the integrations' emulators, started on loopback, instead of the services.
        emulator_port: the port of the emulators; 0, the default, takes any free one.
        force: lift the policies `ask` and `deny`.
        ask: called for a call that needs approval, on the thread of the script; without it such a call fails.
        limits: what a run may use.
        isolation: `"thread"` runs the script in a thread of this process. `"fork"` runs it in a child and can
            stop it in every case; only for a program without threads, such as the `kosmo` command.
        remedy: returns the command that a hint names when approval is missing.
    """

    def __init__(  # noqa: PLR0913  # options, all with a default
        self,
        *,
        integrations: "Sequence[Integration[Any]] | None" = None,
        environ: Mapping[str, str] | None = None,
        emulator: bool = False,
        emulator_port: int = 0,
        force: bool = False,
        ask: "Ask | None" = None,
        limits: Limits | None = None,
        isolation: Isolation = "thread",
        remedy: Callable[[], str] | None = None,
    ) -> None:
        self._integrations = integrations
        self._environ = os.environ if environ is None else environ
        self._emulate = emulator
        self._emulator_port = emulator_port
        self._force = force
        self._ask = ask
        self._limits = limits or Limits()
        self._limits.check()
        self._lock = Lock()
        self._isolation = isolation
        self._remedy = remedy
        self._direct: dict[int, Calls] = {}  # for each thread, as a call in progress is state

    def run(
        self,
        code: str | bytes,
        *,
        name: str = "eval",
        arguments: Sequence[str] = (),
        on_output: Callable[[str], None] | None = None,
    ) -> "Result":
        """Run a Lua program and return its Result; a failure of the script is in it, and is not raised.

        `name` is the file name that errors carry, `arguments` becomes the table `arg`, `on_output` is called
        with each printed text as it comes.
        """
        started = time.perf_counter()
        script = Script(code.encode() if isinstance(code, str) else code, name, tuple(arguments))
        run = self._run_forked if self._isolation == "fork" else self._run_threaded
        try:
            script.check()
            return run(script, partial(_recorder, started, on_output, forced=self._force))
        except KosmoError as error:
            from kosmo_lua.journal import failed  # noqa: PLC0415  # only for errors

            recorder = _recorder(started, on_output, forced=self._force)
            return recorder.result(failed(error))

    def call(
        self, function: str, arguments: JsonObject | None = None, *, account: str = "default"
    ) -> Json:
        """Call a function, such as `segment.track`, and return what it returns.

        Raises:
            KosmoError: one of its kinds; `effect` says whether the service may have got the request.
        """
        thread = get_ident()
        if thread not in self._direct:
            self._direct[thread] = self.calls(_forget, self._ask)
        if account != "default":
            target = self.catalog.resolve(function)
            function = f"{target.integration.name}.{account}.{target.function.name}"
        return self._direct[thread].call(function, arguments or {})

    @cached_property
    def catalog(self) -> "Catalog":
        """The integrations and their functions."""
        from kosmo_lua.catalog import Catalog  # noqa: PLC0415  # importlib.metadata, only for app and docs

        if self._integrations is not None:
            return Catalog(self._integrations)
        return Catalog.installed()

    @cached_property
    def accounts(self) -> "Accounts":
        """The accounts of the integrations."""
        from kosmo_lua.accounts import Accounts  # noqa: PLC0415  # only for app

        return Accounts(self._environ, emulator_url=self.emulator.url if self._emulate else None)

    @cached_property
    def reference(self) -> "Reference":
        """The docs: what `docs.list`, `docs.search` and `docs.read` return."""
        from kosmo_lua.reference import Reference  # noqa: PLC0415  # only for docs

        return Reference(self.catalog, self.accounts)

    @cached_property
    def emulator(self) -> "Emulator":
        """The emulator; its socket is bound here, and it answers once a run or a call needs it."""
        from kosmo_lua.emulator import Emulator  # noqa: PLC0415  # only with emulator=True

        services = {
            integration.name: integration.emulation.service
            for integration in self.catalog.integrations.values()
            if integration.emulation
        }
        with self._lock:  # two threads may come here at once, and must get the same one
            made: Emulator | None = self.__dict__.get("emulator")
            if made is None:
                made = self.__dict__["emulator"] = Emulator(services, port=self._emulator_port)
        return made

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

    def calls(self, record: "Record", ask: "Ask | None") -> "Calls":
        """Return the path that the calls of one run take."""
        from kosmo_lua.calls import Calls  # noqa: PLC0415  # only for app
        from kosmo_lua.policy import Policy  # noqa: PLC0415  # only for app

        unrestricted = self._force or self._emulate
        policy = Policy(self._environ, unrestricted=unrestricted, ask=ask, remedy=self._remedy)
        if self._emulate and self._isolation == "thread":
            self.emulator.start()
        return Calls(self.catalog, self.accounts, policy, record)

    def close(self) -> None:
        """Close connections and stop the emulator."""
        while self._direct:
            self._direct.popitem()[1].close()
        if "emulator" in self.__dict__:
            self.emulator.stop()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _run_threaded(self, script: Script, make_recorder: "MakeRecorder") -> "Result":
        from kosmo_lua.lua.namespace import Namespace  # noqa: PLC0415  # lupa, only for a run
        from kosmo_lua.lua.watchdog import run_in_thread  # noqa: PLC0415  # the same

        recorder = make_recorder()
        budgets: list[Budget] = []

        def ask(question: "Question") -> bool:
            budgets[0].pause(time.monotonic())
            try:
                return self._ask is not None and self._ask(question)
            finally:
                budgets[0].resume(time.monotonic())

        with Namespace(self, recorder.record, ask if self._ask else None) as host:
            ending = run_in_thread(
                script, host, recorder.record, self._limits, on_start=budgets.append
            )
        return recorder.result(ending)

    def _run_forked(self, script: Script, make_recorder: "MakeRecorder") -> "Result":
        from kosmo_lua.lua.process import forked  # noqa: PLC0415  # only for this isolation

        emulator = self.emulator if self._emulate else None
        with forked(partial(self._work, script)) as process:
            # This process loads its part while the child loads Lua; from here on it may have threads.
            from kosmo_lua.lua.supervisor import supervise  # noqa: PLC0415  # after the fork

            if emulator:
                emulator.start()
            recorder = make_recorder()
            return recorder.result(supervise(process, recorder, self._limits, ask=self._ask))

    def _work(self, script: Script, child: "Child") -> JsonObject:
        """Run a script in the child process."""
        from kosmo_lua.lua.clocks import own_process  # noqa: PLC0415  # after the fork
        from kosmo_lua.lua.namespace import Namespace  # noqa: PLC0415  # the same
        from kosmo_lua.lua.sandbox import Sandbox  # noqa: PLC0415  # the same

        if self._emulate:
            self.emulator.forget()
        host = Namespace(self, child.record, child.ask if self._ask else None)
        sandbox = Sandbox(host, child.record, self._limits, child.meter, clock=own_process())
        child.obey(sandbox)
        return sandbox.run(script)


def _recorder(
    started: float, on_output: "Callable[[str], None] | None", *, forced: bool
) -> "Recorder":
    from kosmo_lua.journal import Recorder  # noqa: PLC0415  # start-up

    return Recorder(started=started, forced=forced, on_output=on_output)


def _forget(event: list[Json]) -> None:
    """Record nothing: a direct call has no envelope."""
