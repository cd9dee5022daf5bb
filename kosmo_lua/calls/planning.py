"""Planning: the calls of a dry run. Reads are made, and of a write everything but the write itself."""

from typing import TYPE_CHECKING, ClassVar

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.path import Calls, Work
from kosmo_lua.catalog import Target
from kosmo_lua.dry_run import NotSent, PlannedRequest, PlannedWrite
from kosmo_lua.results import Access
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # threads, only for a script that needs them
    from kosmo_lua.calls.delivery import Batch

_READS_FIRST = (
    "{} reads first: what it writes depends on an answer that a dry run does not ask for"
)


class PlannedBatch:
    """A batch of a dry run: it takes nothing."""

    @staticmethod
    def close() -> PlannedWrite:
        """Return what stands for its report."""
        return PlannedWrite("batch")


class DryCalls(Calls):
    """Makes the reads of a script and plans its writes: each is checked, its account is found."""

    _unsent: ClassVar[frozenset[Access]] = frozenset({"write"})

    def begin(self, target: Target, arguments: JsonObject) -> Call:
        """Begin a call; a write is in the plan from here on."""
        call = super().begin(target, arguments)
        if target.function.access == "write":
            self._plan(call)
        return call

    def perform(self, call: Call, work: Work | None = None) -> "Json | PlannedWrite":  # type: ignore[override]  # what a write returns is no JSON
        """Do what a call does, if it is a read."""
        if call.target.function.access == "read":
            return super().perform(call, work)
        call.ended(None)
        return PlannedWrite(call.name)

    def queue(  # type: ignore[override]  # the same
        self,
        batch: "Batch",  # noqa: ARG002  # it takes nothing
        name: str,
        text: bytes,
        *,
        by_position: bool,
    ) -> PlannedWrite:
        """Plan the event of a call."""
        target = self._resolve(name)
        arguments = self._decoded(target, text, by_position=by_position)
        self._event(self._mint(target), arguments)
        call = self._made(target, arguments, queued=True)
        self._plan(call)
        return PlannedWrite(call.name)

    def rehearsed_batch(self) -> PlannedBatch:
        """Return a batch that takes nothing."""
        return PlannedBatch()

    def _plan(self, call: Call) -> None:
        arguments = self._clients.masked(call.arguments, call.target)
        self._record(["plan", call.name, call.target.account, arguments])


class UnsentCalls(Calls):
    """Prepares calls without a script, and sends none."""

    _unsent: ClassVar[frozenset[Access]] = frozenset({"read", "write"})

    def request(self, name: str, arguments: JsonObject) -> PlannedRequest | None:
        """Do all of a call but send: return the first request that it would send, None if it sends none.

        Where a request depends on the answer to the first, nobody can know it, and a warning says so.

        Raises:
            KosmoError: as `call`, except that a missing approval is a warning.
        """
        target = self._resolve(name)
        try:
            self.perform(self.begin(target, arguments))
        except NotSent as end:
            if target.function.access == "write" and not end.request.writes:
                self._record(["warning", _READS_FIRST.format(target.function.log_name)])
            return end.request
        return None
