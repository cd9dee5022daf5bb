"""Many events through `batch`, against the vendors' SDKs with their queue and thread."""

from collections.abc import Callable
from typing import NamedTuple

from measure import Case, Failed, Figure, Subject, fewer, megabytes, paired
from programs import lua, peak, peer
from service import sink

MANY = 10_000
MOST = 200_000


class Sender(NamedTuple):
    """A service, as Lua sends events to it."""

    call: str
    peer: str


SEGMENT = Sender(
    """app.integrations.segment.track{ event = "Signed Up", userId = "user-" .. i, properties = {plan =
"pro", n = i}}""",
    "segment_batch",
)
POSTHOG = Sender(
    """app.integrations.posthog.capture_event{ event = "Signed Up", distinct_id = "user-" .. i, properties
= {plan = "pro", n = i}}""",
    "posthog_batch",
)


def batch(call: str, count: int) -> list[str]:
    """Return the command that sends events in batches."""
    code = f"batch(function() for i = 1, {count} do {call} end end)"
    return lua(code, "--call-limit", str(10 * MOST))


def _against(sender: Sender) -> Callable[[int], Figure]:
    ours, theirs = batch(sender.call, MANY), peer(sender.peer, str(MANY))

    def measure(pairs: int) -> Figure:
        with sink() as service:
            return paired(
                lambda: service.delivered(MANY, ours).whole,
                lambda: service.delivered(MANY, theirs).whole,
                fewer(pairs),
            )

    return measure


def _memory(sender: Sender) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        del pairs  # one run of each: the peak varies by less than 1 %
        with sink() as service:
            small, large = (
                peak(batch(sender.call, count), service.environ) for count in (MANY, MOST)
            )
            arrived = service.counts().events
        if arrived != MANY + MOST:
            message = f"{arrived:,} of {MANY + MOST:,} events arrived"
            raise Failed(message)
        return Figure(large / small, megabytes(large))

    return measure


DELIVERY = Subject(
    "delivery",
    """Whole processes, from start to exit. Lua tracks 10,000 small events inside `batch`; the peer's
script does so with its SDK's defaults, Segment's with `flush()` at the end, PostHog's with `shutdown()`.
The server answers at once and counts: a run that loses or doubles an event fails. Memory is the peak of
resident memory of the largest process of kosmo at 200,000 events, and the ratio is to that at 10,000.""",
    [
        Case("10,000 events, Segment", "segment SDK, flush", 0.30, _against(SEGMENT)),
        Case("10,000 events, PostHog", "posthog SDK, shutdown", 0.35, _against(POSTHOG)),
        Case("memory, 200,000 events, Segment", "10,000 events", 1.10, _memory(SEGMENT)),
        Case("memory, 200,000 events, PostHog", "10,000 events", 1.10, _memory(POSTHOG)),
    ],
)
