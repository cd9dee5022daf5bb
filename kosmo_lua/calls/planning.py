"""Planning: the calls of a dry run. Reads are made, and of a write everything but the write itself."""

from typing import TYPE_CHECKING, Any

from kosmo_lua.calls.call import Call
from kosmo_lua.calls.path import Calls, Work
from kosmo_lua.catalog import Target
from kosmo_lua.dry_run import PlannedWrite
from kosmo_lua.values import Json, JsonObject

if TYPE_CHECKING:  # threads, only for a script that needs them
    from kosmo_lua.calls.delivery import Batch


class PlannedBatch:
    """A batch of a dry run: it takes nothing."""

    requests = 0

    @staticmethod
    def close() -> PlannedWrite:
        """Return what stands for its report."""
        return PlannedWrite("batch")


class DryCalls(Calls):
    """Makes the reads of a script and plans its writes: each is checked, its account is found."""

    def begin(self, target: Target, arguments: JsonObject, *, dry_run: bool = False) -> Call:
        """Begin a call; a write is in the plan from here on."""
        writes = target.function.access == "write"
        call = super().begin(target, arguments, dry_run=dry_run or writes)
        if writes:
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
        values: Any,  # noqa: ANN401  # as `event`
        *,
        by_position: bool,
    ) -> PlannedWrite:
        """Plan the event of a call."""
        call, _, _ = self.event(name, values, by_position=by_position, dry_run=True)
        self._plan(call)
        return PlannedWrite(call.name)

    def rehearsed_batch(self) -> PlannedBatch:
        """Return a batch that takes nothing."""
        return PlannedBatch()

    def _plan(self, call: Call) -> None:
        arguments = self._clients.masked(call.arguments, call.target)
        self._record(["plan", call.name, call.target.account, arguments])
