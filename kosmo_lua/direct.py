"""Direct: calls without a script, as one thread makes them."""

import json
import time
from contextlib import nullcontext, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from kosmo_lua.config.spelling import same
from kosmo_lua.endings import Ending, failed
from kosmo_lua.errors import Defect, Interrupted, InvalidArguments, KosmoError, UsageError
from kosmo_lua.journal import Recorder
from kosmo_lua.listeners import Listeners
from kosmo_lua.results import CallResult
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # only named here
    from collections.abc import Callable

    from kosmo_lua.backend import Backend
    from kosmo_lua.calls import Calls
    from kosmo_lua.calls.planning import UnsentCalls
    from kosmo_lua.catalog import Target
    from kosmo_lua.policy import Ask
    from kosmo_lua.progress import Progress


class Direct:
    """Makes calls one after another, and keeps their connections."""

    def __init__(
        self,
        backend: "Backend",
        *,
        ask: "Ask | None" = None,
        audit: str | None = None,
    ) -> None:
        self._backend = backend
        self._audit = audit
        self._ask = ask
        self._recorder: Recorder | None = None
        self._lock = Lock()
        self._calls: Calls | None = None
        self._unsent: UnsentCalls | None = None

    def call(self, function: str, arguments: JsonObject, account: str) -> Json:
        """Call a function; see `Kosmo.call`."""
        target = self._target(function, account)
        return self._made().call(target.name, _acyclic(arguments, target))

    def attempt(
        self,
        function: str,
        arguments: JsonObject,
        account: str,
        *,
        dry_run: bool,
        on_progress: "Callable[[Progress], None] | None" = None,
    ) -> CallResult:
        """Call a function and return the outcome; see `Kosmo.attempt`."""
        options = self._backend.options
        recorder = Recorder(
            started=time.perf_counter(),
            forced=options.force,
            dry_run=dry_run,
            listeners=Listeners(on_progress=on_progress),
            audit=None if dry_run else self._audit,
            run_id=options.run_id,
        )
        recorder.begin()
        self._recorder, data, ending = recorder, None, Ending()
        try:
            with _Ticker(recorder, self._lock) if on_progress else nullcontext():
                data = self._data(self._target(function, account), arguments, dry_run=dry_run)
        except KosmoError as error:
            ending = failed(error)
        except KeyboardInterrupt as signal:
            ending = failed(Interrupted(str(signal) or "SIGINT"))
        finally:
            self._recorder = None
        run = recorder.result(ending)
        if run.call_log:
            [call] = run.call_log
            function, account = call.function, call.account
            if run.error_info and run.error_info.code == "interrupted":
                info = run.error_info._replace(function=function, effect=call.effect)
                run = run._replace(error_info=info)
        return CallResult.of(run, function=function, account=account, data=data)

    def _data(self, target: "Target", arguments: JsonObject, *, dry_run: bool) -> Json:
        for problem in self._made().catalog.problems_of(target.integration.name):
            self._record(["warning", problem])
        arguments = _acyclic(arguments, target)
        if not dry_run:
            return _checked(self._made().call(target.name, arguments), target.name)
        self._unsent = self._unsent or self._backend.unsent_calls(self._record)
        request = self._unsent.request(target.name, arguments)
        return {"request": {**request._asdict()} if request else None}

    def _target(self, function: str, account: str) -> "Target":
        """Return what a name means, with the account."""
        target = self._made().catalog.resolve(function)
        if "default" not in (account, target.account) and not same(account, [target.account]):
            message = f"two accounts are named: {target.account} in {function}, and {account}"
            raise UsageError(message, hint="Name one.")
        chosen = target.account if account == "default" else account
        return target._replace(account=chosen)

    def _made(self) -> "Calls":
        self._calls = self._calls or self._backend.direct_calls(self._record, self._ask)
        return self._calls

    def _record(self, event: list[Json]) -> None:
        if self._recorder:  # `call` has no envelope
            with self._lock:
                self._recorder.record(event)

    def close(self) -> None:
        """Close every connection."""
        for calls in (self._calls, self._unsent):
            if calls:
                calls.close()
        self._calls = self._unsent = None


class _Ticker:
    """Asks a recorder how far it is, in a thread of its own, as long as the call goes on."""

    def __init__(self, recorder: Recorder, lock: Lock) -> None:
        self._recorder = recorder
        self._lock = lock
        self._ended = Event()
        self._thread = Thread(target=self._work, name="kosmo-progress", daemon=True)

    def _work(self) -> None:
        patience = self._recorder.progress(queued=0)
        # What the listener raises is kept by the recorder, whose result raises it.
        with suppress(BaseException):
            while not self._ended.wait(patience):
                with self._lock:
                    patience = self._recorder.progress(queued=0)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def _acyclic(arguments: JsonObject, target: "Target") -> JsonObject:
    """Return arguments that come to an end: a program can put one into itself, as no script can.

    Raises:
        InvalidArguments: they do not, or too deep.
    """
    try:
        # A key that JSON cannot hold is told with its parameter.
        with suppress(TypeError):
            json.dumps(arguments, default=lambda _: None)
    except (ValueError, RecursionError):
        name = target.function.log_name
        failure = InvalidArguments(f"{name}: an argument contains itself, or is nested too deep")
        failure.function = name
        raise failure from None
    return arguments


def _checked(data: Json, function: str) -> Json:
    """Return what a function returned, which must be JSON, because an envelope holds it."""
    try:
        json.dumps(data, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"{function} returned what JSON cannot hold: {error}"
        raise Defect(message, hint="Please report it to the authors of the integration.") from None
    return data
