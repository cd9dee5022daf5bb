"""The one path of a call: find, validate, permit, load the account, invoke, log."""

from collections.abc import Callable
from functools import lru_cache
from itertools import count
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from kosmo_lua.accounts import Accounts
from kosmo_lua.calls.call import Call, digest
from kosmo_lua.calls.clients import Clients
from kosmo_lua.calls.named import named, not_named
from kosmo_lua.calls.recording import Recording
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.dry_run import NotSent, PlannedRequest
from kosmo_lua.errors import ApprovalRequired, Interrupted, KosmoError
from kosmo_lua.identity import Fresh
from kosmo_lua.journal import Record
from kosmo_lua.policy import Policy
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from kosmo_lua.calls.delivery import Batch
    from kosmo_lua.calls.work import Rehearsed
    from kosmo_lua.http import Api, Event, Exchange
    from kosmo_lua.http.exchange import Identity
    from kosmo_lua.results import Delivery
    from kosmo_lua.runs import Run


_FRESH = Fresh()

_READS_FIRST = (
    "{} reads first: what it writes depends on an answer that a dry run does not ask for"
)

Work = Callable[["Api[Any]", Any], Json]
"""What a call does with its client and its checked arguments."""


class Calls:
    """Makes the calls of one run. Each is recorded when it starts and when it ends.

    A call is prepared on the thread of the script, and may be performed on another one.
    """

    def __init__(  # noqa: PLR0913  # what a call needs
        self,
        catalog: Catalog,
        accounts: Accounts,
        policy: Policy,
        record: Record,
        *,
        audited: bool = False,
        retry_budget: float = 0.0,
        run: "Run | None" = None,
        recording: Recording | None = None,
    ) -> None:
        self._clients = Clients(accounts, record)
        self._policy = policy
        self._record = record
        self._resolve = lru_cache(maxsize=256)(catalog.resolve)
        self._audited = audited
        self._retry_budget = retry_budget
        self._run = run
        self._recording = recording
        self._numbers = count(1)
        self._stopped = Flag()

    def call(self, name: str, arguments: Json) -> Json:
        """Call a function with named arguments and return what the service said.

        Raises:
            KosmoError: one of its kinds; `effect` says whether anything was sent.
        """
        return self.perform(self.prepare(name, arguments))

    def call_with(self, name: str, values: list[Json]) -> Json:
        """Call a function with positional arguments, in the order of its schema."""
        return self.perform(self.prepare_with(name, values))

    def prepare(self, name: str, arguments: Json) -> Call:
        """Do all of a call that comes before it is sent.

        Raises:
            KosmoError: it cannot be made; nothing was sent.
        """
        target = self._resolve(name)
        return self.begin(target, self._arguments(target, arguments, by_position=False))

    def prepare_with(self, name: str, values: list[Json]) -> Call:
        """Do the same with positional arguments."""
        target = self._resolve(name)
        return self.begin(target, self._arguments(target, values, by_position=True))

    def _arguments(self, target: Target, values: Any, *, by_position: bool) -> JsonObject:  # noqa: ANN401  # JSON
        """Return the arguments of a call by name."""
        try:
            arguments = named(target, values) if by_position else values
            if not isinstance(arguments, dict):
                raise not_named(target, arguments)
        except KosmoError as error:
            raise self._clients.blamed(target, target.function.full_name, error) from None
        return arguments

    def check(self, target: Target) -> str:
        """Check a credential; `target.function` is one of the integration's checks.

        Raises:
            KosmoError: it does not work, or that could not be found out.
        """
        return str(self.perform(self.begin(target, {})))

    def plan(self, name: str, arguments: JsonObject) -> PlannedRequest | None:
        """Do all of a call but send: return the first request that it would send, None if it sends none.

        Where a request depends on the answer to the first, nobody can know it, and a warning says so.

        Raises:
            KosmoError: as `call`, except that a missing approval is a warning.
        """
        target = self._resolve(name)
        try:
            self.perform(self.begin(target, arguments, dry_run=True))
        except NotSent as end:
            if target.function.access == "write" and not end.request.writes:
                self._record(["warning", _READS_FIRST.format(target.function.full_name)])
            return end.request
        return None

    def begin(self, target: Target, arguments: JsonObject, *, dry_run: bool = False) -> Call:
        """Begin a call: it is recorded, checked and permitted, and its client is ready."""
        call = self._recorded(target, arguments, target.function.full_name)
        try:
            self._check(call, dry_run=dry_run)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # a model may be a stranger's; it is logged all the same
            raise self._failed(call, error) from None
        return call

    def queue(
        self,
        batch: "Batch",
        name: str,
        values: Any,  # noqa: ANN401  # JSON, a list by position
        *,
        by_position: bool,
    ) -> Json:
        """Let the event of a call go out with others; return its ID."""
        call, event, content = self.event(name, values, by_position=by_position)
        batch.add(call, event, content)
        self._keep(call, {"bytes": len(content), "result": event.id})
        return event.id

    def rehearsed_batch(self) -> "Rehearsed | None":
        """Return the batch that a script fills which sends nothing; None when its calls go out."""
        return None

    def event(
        self,
        name: str,
        values: Any,  # noqa: ANN401  # the same
        *,
        by_position: bool,
        dry_run: bool = False,
    ) -> "tuple[Call, Event, bytes]":
        """Make the event of a call, and its JSON, to go out with others.

        Only a failure is recorded: the call of the log is the request that the event goes out with.

        Raises:
            KosmoError: as `prepare`.
        """
        from kosmo_lua.http import encode  # noqa: PLC0415  # httpx, as above

        target = self._resolve(name)
        arguments = self._arguments(target, values, by_position=by_position)
        call = Call(
            next(self._numbers), target, arguments, self._record, target.function.full_name
        )
        call.queued = True
        try:
            api, exchange = self._check(call, dry_run=dry_run)
            api.begin(exchange)
            assert target.function.event is not None, "Lua was told so"
            event = target.function.event(api, call.checked)
            content = encode(event.body)
            api.batches.check(content, api.title)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # as in `begin`
            self._begun(call)
            raise self._failed(call, error) from None
        return call, event, content

    def _check(self, call: Call, *, dry_run: bool = False) -> "tuple[Api[Any], Exchange]":
        target = call.target
        self._clients.find(target)
        call.checked = target.function.validate(call.arguments)
        self._permit(target, call.arguments, dry_run=dry_run)
        return self._equip(call, dry_run=dry_run)

    def follow(self, call: Call, name: str | None = None, events: int | None = None) -> Call:
        """Begin another call that is a part of one that was permitted: a page, or a batch."""
        part = self._recorded(call.target, call.arguments, name or call.name, events)
        part.checked = call.checked
        part.page = call.page + 1 if call.page else 0
        self._equip(part)
        return part

    def perform(self, call: Call, work: Work | None = None) -> Json:
        """Do what a call does, on any thread, and return what the service said.

        Raises:
            KosmoError: one of its kinds; `effect` says whether anything was sent.
        """
        assert call.api is not None, "it was prepared"
        assert call.exchange is not None, "it was prepared"
        call.api.begin(call.exchange)
        try:
            if self._stopped.is_set():  # since it was prepared
                raise Interrupted("SIGINT")  # noqa: TRY301  # it fails as any call
            value = (work or call.target.function.invoke)(call.api, call.checked)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # an adapter may be a stranger's; its call is logged all the same
            raise self._failed(call, error) from None
        except NotSent:
            call.ended(None)
            raise
        self._keep(call, {"more": call.more, "result": value} if call.page else {"result": value})
        call.ended(None)
        return value

    def delivered(self, report: "Delivery") -> None:
        """Keep the report of a batch, if the run is recorded."""
        if self._recording:
            self._recording.report(report, self._clients)

    def finish(self) -> None:
        """The script has ended."""

    def stop(self) -> None:
        """The run is over: what waits does not go on, and nothing more is sent."""
        self._stopped.set()

    def resume(self) -> None:
        """Another script begins."""
        self._stopped.clear()

    def close(self) -> None:
        """Close every connection."""
        self.stop()
        self._clients.close()
        if self._recording:
            self._recording.close()

    def _recorded(
        self, target: Target, arguments: JsonObject, name: str, events: int | None = None
    ) -> Call:
        call = Call(next(self._numbers), target, arguments, self._record, name)
        call.events = events
        self._begun(call)
        return call

    def _begun(self, call: Call) -> None:
        account, access = call.target.account, call.target.function.access
        hashed = digest(call.arguments) if self._audited else None
        self._record(["call", call.number, call.name, account, access, hashed, call.events])

    def _permit(self, target: Target, arguments: JsonObject, *, dry_run: bool) -> None:
        try:
            self._policy.permit(target.function, target.account, arguments)
        except ApprovalRequired as error:
            if not dry_run:
                raise
            sentence = f"{target.function.full_name}: {error.message}. {error.hint}"
            self._record(["warning", sentence])

    def _equip(self, call: Call, *, dry_run: bool = False) -> "tuple[Api[Any], Exchange]":
        """Give a call the client of its account, and what it sends an identity."""
        from kosmo_lua.http import Exchange  # noqa: PLC0415  # httpx, as above

        call.api = self._clients.of(call.target)
        call.exchange = Exchange(
            identity=self._identity(call),
            watch=call,
            sleep=self._sleep,
            writes=call.target.function.access == "write",
            dry_run=dry_run,
            retry_budget=self._retry_budget,
        )
        return call.api, call.exchange

    def _identity(self, call: Call) -> "Identity":
        if self._run is None:
            return _FRESH
        return self._run.identity(call.name, call.target.account, call.arguments)

    def _sleep(self, seconds: float) -> bool:
        return not self._stopped.wait(seconds)

    def _failed(self, call: Call, error: BaseException) -> BaseException:
        """Record why a call has failed; return the error without frames whose variables hold credentials."""
        if isinstance(error, KeyboardInterrupt):
            call.ended(["interrupted", "the call was stopped before it returned"])
            return error
        failure = self._clients.blamed(call.target, call.name, error)
        failure.effect = call.effect
        if not isinstance(failure, Interrupted):  # the run has ended; the call has not
            self._keep(call, {"error": failure.facts()})
        call.ended([failure.code, failure.message])
        return failure.with_traceback(None)

    def _keep(self, call: Call, facts: JsonObject) -> None:
        """Write a call that has ended to the recording, if there is one."""
        if (
            self._recording and call.events is None
        ):  # the requests of a batch are no calls of the script
            self._recording.keep(call, facts, self._clients)
