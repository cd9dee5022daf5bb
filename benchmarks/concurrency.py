"""parallel.map against a server that takes 20 ms, and what the limit allows at best."""

from collections.abc import Callable

from measure import Case, Figure, Subject, fewer, paired
from programs import lua, peer
from service import sink

LATENCY = 20
"""Milliseconds that each answer takes."""

ROUNDS = 50
"""Items per worker: 50 rounds of 20 ms are a second of waiting."""


def _throughput(limit: int) -> Callable[[int], Figure]:
    ours, rounds = _map(limit), peer("socket_events", str(ROUNDS))

    def measure(pairs: int) -> Figure:
        with sink(latency=LATENCY) as service:
            return paired(
                lambda: service.delivered(ROUNDS * limit, ours).sending,
                lambda: service.delivered(ROUNDS, rounds).sending,
                fewer(pairs),
            )

    return measure


def _connections(limit: int) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        del pairs  # it is a count
        with sink(latency=LATENCY) as service:
            opened = service.delivered(ROUNDS * limit, _map(limit)).connections
        return Figure(opened / limit, f"{opened} opened")

    return measure


def _map(limit: int) -> list[str]:
    """Return the command that sends events with so many at once."""
    return lua(f"""
        local items = {{}}
        for i = 1, {ROUNDS * limit} do items[i] = i end
        parallel.map(items, function(i)
          app.integrations.segment.track{{
            event = "Signed Up", userId = "user-" .. i, properties = {{plan = "pro", n = i}}}}
        end, {{limit = {limit}}})
    """)


CONCURRENCY = Subject(
    "parallel",
    f"""`parallel.map` over {ROUNDS} items per worker, one `track` each, against a server that answers after
{LATENCY} ms. At best it takes {ROUNDS} times that latency, whatever the limit; the target of 1.11 is 0.90 of
limit / latency. The latency is that of the same server in the same run, where timers and the loopback make
about 20.7 of {LATENCY} ms: a bare socket sends {ROUNDS} requests one after the other, and the server sees how
long that takes. The server counts the connections of one run.""",
    [
        Case("parallel.map, limit 8", "limit / latency", 1 / 0.90, _throughput(8)),
        Case("parallel.map, limit 32", "limit / latency", 1 / 0.90, _throughput(32)),
        Case("connections, limit 8", "8", 1.0, _connections(8)),
        Case("connections, limit 32", "32", 1.0, _connections(32)),
    ],
)
