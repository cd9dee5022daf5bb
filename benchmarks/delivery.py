"""Many events through `batch`, against the vendors' SDKs with their queue and thread."""

from collections.abc import Callable
from typing import NamedTuple

from measure import Case, Failed, Figure, Subject, compare, fewer, megabytes
from programs import lua, peak, peer, run
from service import Service, sink

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
    def measure(pairs: int) -> Figure:
        with sink() as service:
            ours, theirs = batch(sender.call, MANY), peer(sender.peer, str(MANY))
            return compare(
                lambda: _delivered(service, ours),
                lambda: _delivered(service, theirs),
                fewer(pairs),
            )

    return measure


def _delivered(service: Service, command: list[str]) -> None:
    before = service.events()
    run(command, service.environ)
    _all_arrived(service.events() - before, MANY)


def _memory(sender: Sender) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        del pairs  # one run of each: the peak varies by less than 1 %
        with sink() as service:
            small = peak(batch(sender.call, MANY), service.environ)
            large = peak(batch(sender.call, MOST), service.environ)
            _all_arrived(service.events(), MANY + MOST)
        return Figure(large / small, megabytes(large))

    return measure


def _all_arrived(arrived: int, sent: int) -> None:
    if arrived != sent:
        message = f"{arrived:,} of {sent:,} events arrived"
        raise Failed(message)


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
