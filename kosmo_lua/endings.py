"""How a run ended, and what its error says besides, from all that the run has done."""

from typing import Any, NamedTuple

from kosmo_lua.errors import Effect, KosmoError
from kosmo_lua.results import Call, Delivery, ErrorInfo


class Ending(NamedTuple):
    """How a script ended: with its result, or with an error."""

    result: str = "null"
    """The return value as JSON text."""
    error: str | None = None
    info: ErrorInfo | None = None
    memory: int = 0
    """The peak of the script's memory, in bytes."""

    @classmethod
    def of(cls, fields: dict[str, Any], **more: Any) -> "Ending":  # noqa: ANN401  # its own fields
        """Make an ending of its fields as JSON."""
        info = fields.get("info")
        return cls(**{**fields, **more, "info": ErrorInfo(**info) if info else None})


def failed(error: KosmoError) -> Ending:
    """Return the ending of a run that this error has ended, or has kept from starting."""
    facts = {name: value for name, value in error.facts().items() if name != "message"}
    kind = {"syntax_error": "syntax"}.get(error.code, error.code)
    own = kind in ("usage", "syntax", "interrupted", "internal")
    info = {**facts, "type": kind if own else "runtime"}
    return Ending.of({"error": error.message, "info": info})


def not_whole(ending: Ending, delivery: Delivery, effect: Effect, run_id: str | None) -> Ending:
    """Return the ending of a script that came to its end, with events that were not accepted.

    `effect` is that of its requests, `run_id` the name that the run was given.
    """
    missing = delivery.queued - delivery.accepted
    message = f"{missing:,} of {delivery.queued:,} events were not accepted"
    first = f"The first: {delivery.rejected[0].message}. " if delivery.rejected else ""
    info = ErrorInfo("partial", "runtime", effect=effect, hint=first + _advice(run_id))
    return ending._replace(error=message, info=info)


def with_lost(ending: Ending, lost: list[Call]) -> Ending:
    """Return the ending of a run that has cut off writes, which nobody has heard of since."""
    if not lost or ending.info is None or ending.info.effect != "none":
        return ending
    which = lost[0].function
    if len(lost) > 1:
        which = f"{len(lost):,} writes, the first of them {which},"
    hint = f"{which} may or may not have happened; check before you run it again."
    return ending._replace(
        info=ending.info._replace(effect="unknown", hint=ending.info.hint or hint)
    )


def with_writes(ending: Ending, wrote: int, run_id: str | None) -> Ending:
    """Return the ending of a run that could be repeated, had it not made so many writes before."""
    info = ending.info
    if not (wrote and info and info.retryable):
        return ending
    if info.effect == "unknown" and info.hint:  # it is a write itself, and says so
        return ending
    writes = "1 write" if wrote == 1 else f"{wrote:,} writes"
    hint = (
        f"The run has made {writes} before, which another run would make again. {_advice(run_id)}"
    )
    return ending._replace(info=info._replace(hint=f"{info.hint} {hint}" if info.hint else hint))


def _advice(run_id: str | None) -> str:
    """Say how events are sent again without harm; `run_id` is the name that the run was given."""
    if run_id:
        return f"Run it again with --run {run_id}: the service drops the events that it has."
    return (
        "To be repeated without sending anything twice, a run needs --run ID from its first time."
    )
