"""Calls one after the other, against the same requests of plain httpx."""

from collections.abc import Callable

from measure import Case, Figure, Subject, fewer, paired
from programs import lua, peer
from service import sink


def _events(count: int, latency: int) -> Callable[[int], Figure]:
    ours, theirs = lua(_loop(count)), peer("httpx_events", str(count))

    def measure(pairs: int) -> Figure:
        with sink(latency=latency) as service:
            return paired(
                lambda: service.delivered(count, ours).sending,
                lambda: service.delivered(count, theirs).sending,
                fewer(pairs),
            )

    return measure


def _loop(count: int) -> str:
    return f"""
        for i = 1, {count} do
          app.integrations.segment.track{{
            event = "Signed Up", userId = "user-" .. i, properties = {{plan = "pro", n = i}}}}
        end
    """


SEQUENTIAL = Subject(
    "sequential",
    """Segment's `track` in a loop of a Lua script, against `httpx.Client.post` of the same JSON in a loop
of a Python script: both are commands of their own with a connection that is kept. The time is that from
the first request to the last answer, as the server sees it, without start-up. In the first row the server
answers at once, so it is all client; in the second one it takes 20 ms.""",
    [
        Case("1,000 events, one by one", "httpx", 1.10, _events(1000, 0)),
        Case("50 events, one by one, 20 ms server", "httpx", 1.10, _events(50, 20)),
    ],
)
