"""The one path of a call: find, validate, permit, load the account, invoke, log."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from kosmo_lua.accounts import DEFAULT, Accounts
from kosmo_lua.calls.call import Call, digest
from kosmo_lua.calls.clients import Clients
from kosmo_lua.calls.equipment import Equipment
from kosmo_lua.calls.minting import Mint
from kosmo_lua.calls.named import named, not_named
from kosmo_lua.calls.recording import Recording
from kosmo_lua.catalog import Catalog, Target
from kosmo_lua.dry_run import NotSent
from kosmo_lua.errors import ApprovalRequired, ConfigError, Interrupted, KosmoError
from kosmo_lua.policy import Policy
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # importing it loads httpx, which only a call that goes out may do
    from kosmo_lua.calls.delivery import Batch
    from kosmo_lua.calls.work import Rehearsed
    from kosmo_lua.http import Api, Event
    from kosmo_lua.journal import Record
    from kosmo_lua.results import Access, Delivery
    from kosmo_lua.runs import Run

Work = Callable[["Api[Any]", Any], Json]
"""What a call does with its client and its checked arguments."""


class Calls:
    """Makes the calls of one run. Each is recorded when it starts and when it ends.

    A call is prepared on the thread of the script, and may be performed on another one.
    """

    _unsent: "ClassVar[frozenset[Access]]" = frozenset()
    """Which calls are prepared and not sent, by their access: those of a dry run."""

    def __init__(  # noqa: PLR0913  # what a call needs
        self,
        catalog: Catalog,
        accounts: Accounts,
        policy: Policy,
        record: "Record",
        *,
        audited: bool = False,
        retry_budget: float = 0.0,
        run: "Run | None" = None,
        recording: Recording | None = None,
    ) -> None:
        self.catalog = catalog
        """What can be called."""
        self._clients = Clients(accounts, record)
        self._equipment = Equipment(
            self._clients, retry_budget=retry_budget, run=run, unsent=self._unsent
        )
        self._mint = partial(Mint, self._clients, self._equipment, self._permit, record)
        self._policy = policy
        self._record = record
        self._resolve = lru_cache(maxsize=256)(partial(_resolved, catalog, accounts))
        self._audited = audited
        self._recording = recording
        self._numbers = count(1)

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
            raise self._clients.blamed(target, target.function.log_name, error) from None
        return arguments

    def begin(self, target: Target, arguments: JsonObject) -> Call:
        """Begin a call: it is recorded, checked and permitted, and its client is ready."""
        call = self._made(target, arguments)
        self._begun(call)
        try:
            self._check(call)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # a model may be a stranger's; it is logged all the same
            raise self._failed(call, error) from None
        return call

    def _check(self, call: Call) -> None:
        self._clients.find(call.target)
        call.checked = call.target.function.validate(call.arguments)
        self._permit(call.target, call.arguments)
        self._equipment.equip(call)

    def _permit(self, target: Target, arguments: JsonObject) -> bool:
        """Return, when the call is permitted, whether all that are like it are."""
        try:
            return self._policy.permit(target.function, target.account, arguments)
        except ApprovalRequired as error:
            if target.function.access not in self._unsent:
                raise
            sentence = f"{target.function.log_name}: {error.message}. {error.hint}"
            self._record(["warning", sentence])
            return False

    def follow(self, call: Call, name: str | None = None, events: int | None = None) -> Call:
        """Begin another call that is a part of one that was permitted: a page, or a batch."""
        part = self._made(call.target, call.arguments)
        part.name = name or part.name
        part.events = events
        part.checked = call.checked
        part.page = call.page + 1 if call.page else 0
        self._begun(part)
        self._equipment.equip(part)
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
            value = (work or call.target.function.invoke)(call.api, call.checked)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # an adapter may be a stranger's; its call is logged all the same
            raise self._failed(call, error) from None
        except NotSent:
            call.ended(None)
            raise
        more = {"more": call.more} if call.page else {}
        self._keep(call, {**more, "result": value})
        call.ended(None)
        return value

    def queue(self, batch: "Batch", name: str, text: bytes, *, by_position: bool) -> Json:
        """Let the event of a call, whose arguments are JSON, go out with others; return its ID.

        Only a failure is in the log: the call that it has is the request that the event goes out with.

        Raises:
            KosmoError: as `prepare`.
        """
        mint = batch.mints.get(name)
        if mint is None:
            mint = batch.mints[name] = self._mint(self._resolve(name))
        arguments: JsonObject = {}
        event = None if by_position or self._recording else self._quick_event(mint, text)
        if event is None:
            arguments = self._decoded(mint.target, text, by_position=by_position)
            event = self._event(mint, arguments)
        batch.add(mint.call, event)
        if self._recording:
            facts: JsonObject = {"bytes": len(event.content), "result": event.id}
            self._keep(self._made(mint.target, arguments, queued=True), facts)
        return event.id

    def _decoded(self, target: Target, text: bytes, *, by_position: bool) -> JsonObject:
        return self._arguments(target, json.loads(text.decode()), by_position=by_position)

    def _quick_event(self, mint: Mint, text: bytes) -> "Event | None":
        try:
            return mint.quick(text)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # as in `begin`
            arguments = self._decoded(mint.target, text, by_position=False)
            raise self._unmade(mint, arguments, error) from None

    def _event(self, mint: Mint, arguments: JsonObject) -> "Event":
        try:
            return mint.event(arguments)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # as in `begin`
            raise self._unmade(mint, arguments, error) from None

    def _unmade(self, mint: Mint, arguments: JsonObject, error: BaseException) -> BaseException:
        """Record a call that has not made its event."""
        call = self._made(mint.target, arguments, queued=True)
        self._begun(call)
        return self._failed(call, error)

    def rehearsed_batch(self) -> "Rehearsed | None":
        """Return the batch that a script fills which sends nothing; None when its calls go out."""
        return None

    def delivered(self, report: "Delivery") -> None:
        """Keep the report of a batch, if the run is recorded."""
        if self._recording:
            self._recording.report(report, self._clients)

    def finish(self) -> None:
        """The script has ended."""

    def stop(self) -> None:
        """The run is over: what waits does not go on, and nothing more is sent."""
        self._equipment.stop()
        self.catalog.cancel()

    def resume(self) -> None:
        """Another script begins; what an earlier one has left behind stays stopped."""
        self._equipment.resume()

    def close(self) -> None:
        """Close every connection."""
        self.stop()
        self._clients.close()
        self.catalog.close()
        if self._recording:
            self._recording.close()

    def _made(self, target: Target, arguments: JsonObject, *, queued: bool = False) -> Call:
        name = target.function.log_name
        call = Call(next(self._numbers), target, arguments, self._record, name)
        call.queued = queued
        return call

    def _begun(self, call: Call) -> None:
        account, access = call.target.account, call.target.function.access
        hashed = digest(call.arguments) if self._audited else None
        self._record(["call", call.number, call.name, account, access, hashed, call.events])

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
        # A request of a batch is no call of the script.
        if self._recording and call.events is None:
            self._recording.keep(call, facts, self._clients)


def _resolved(catalog: Catalog, accounts: Accounts, name: str) -> Target:
    """Return what a name means, with the account's own name, which log, policy and audit have."""
    target = catalog.resolve(name)
    if target.account == DEFAULT:
        return target
    with suppress(ConfigError):  # a file that cannot be read: the call says so, and is logged
        return target._replace(account=accounts.named(target.integration.name, target.account))
    return target
