"""Calls one after the other, against the same requests of plain httpx."""

from collections.abc import Callable

import httpx
from measure import Case, Failed, Figure, Subject, compare, fewer
from service import Service, sink

from kosmo_lua import Kosmo


def _events(count: int, latency: int) -> Callable[[int], Figure]:
    def measure(pairs: int) -> Figure:
        with sink(latency=latency) as service, httpx.Client() as client:
            kosmo = Kosmo(environ=service.environ)
            return compare(
                lambda: _tracks(kosmo, service, count),
                lambda: _posts(client, service, count),
                fewer(pairs),
            )

    return measure


def _tracks(kosmo: Kosmo, service: Service, count: int) -> None:
    before = service.events()
    result = kosmo.run(f"""
        for i = 1, {count} do
          app.integrations.segment.track{{
            event = "Signed Up", userId = "user-" .. i, properties = {{plan = "pro", n = i}}}}
        end
    """)
    arrived = service.events() - before
    if not result.success or arrived != count:
        raise Failed(result.error or f"{arrived} of {count} events arrived")


def _posts(client: httpx.Client, service: Service, count: int) -> None:
    """Send what kosmo sends, with an ID and a library of its own."""
    for n in range(1, count + 1):
        event = {
            "event": "Signed Up",
            "userId": f"user-{n}",
            "properties": {"plan": "pro", "n": n},
            "messageId": f"00000000-0000-4000-8000-{n:012}",
            "context": {"library": {"name": "plain-httpx", "version": "1.0"}},
        }
        auth = ("benchmark-write-key", "")
        client.post(f"{service.url}/v1/track", json=event, auth=auth).raise_for_status()


SEQUENTIAL = Subject(
    "sequential",
    """Segment's `track` in a loop of Lua, against `httpx.Client.post` of the same JSON in a loop of
Python: both in the benchmark's process with a connection that is kept, without start-up. The first row
has a server that answers at once, so it is all client; the second one that takes 20 ms.""",
    [
        Case("1,000 events, one by one", "httpx", 1.10, _events(1000, 0)),
        Case("50 events, one by one, 20 ms server", "httpx", 1.10, _events(50, 20)),
    ],
)
