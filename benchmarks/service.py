"""The sink as a process beside the benchmark, with the settings that send kosmo and its peers to it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from measure import Failed, seconds
from programs import run

SINK = str(Path(__file__).with_name("sink.py"))
KEYS = {
    "KOSMO_SEGMENT_WRITE_KEY": "benchmark-write-key",
    "KOSMO_SEGMENT_WRITE": "allow",
    "KOSMO_POSTHOG_PROJECT_API_KEY": "phc_benchmark",
    "KOSMO_POSTHOG_API_TOKEN": "phx_benchmark",
    "KOSMO_POSTHOG_PROJECT_ID": "1",
    "KOSMO_POSTHOG_WRITE": "allow",
}


class Counts(NamedTuple):
    """What has arrived since the sink listens."""

    connections: int
    requests: int
    events: int
    seconds: float
    """From the first request to the last answer, since the counts were read last."""


class Delivery(NamedTuple):
    """A command whose events have all arrived."""

    whole: float
    """Seconds from its start to its exit."""
    sending: float
    """Seconds from its first request to the last answer, as the sink saw it."""
    connections: int
    """How many it opened."""


@dataclass(frozen=True)
class Service:
    """A sink that listens."""

    url: str
    environ: Mapping[str, str]
    """The whole environment of kosmo and of a peer, which reads the address from SINK_URL."""

    def counts(self) -> Counts:
        """Return what has arrived since the sink listens."""
        with urlopen(f"{self.url}/_sink") as answer:  # noqa: S310  # loopback
            return Counts(**json.load(answer))

    def delivered(self, events: int, command: list[str]) -> Delivery:
        """Run a command that sends so many events.

        Raises:
            Failed: the command failed, or not as many events have arrived.
        """
        before = self.counts()
        whole = seconds(lambda: run(command, self.environ))
        after = self.counts()
        arrived = after.events - before.events
        if arrived != events:
            message = f"{arrived:,} of {events:,} events arrived"
            raise Failed(message)
        return Delivery(whole, after.seconds, after.connections - before.connections)


@contextmanager
def sink(*, latency: int = 0, pages: int = 1000) -> Iterator[Service]:
    """Run a sink whose answers take `latency` ms, and that has `pages` pages of persons."""
    command = [sys.executable, SINK, "--latency", str(latency), "--pages", str(pages)]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,  # noqa: S603  # our own
    ):
        try:
            assert process.stdout
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            yield Service(url, _environ(url, home))
        finally:
            process.terminate()


def _environ(url: str, home: str) -> dict[str, str]:
    """Return an environment without the user's own accounts, proxies and configuration."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    places = {
        "HOME": home,
        "KOSMO_HOME": home,
        "SINK_URL": url,
        "KOSMO_SEGMENT_TRACKING_URL": url,
        "KOSMO_POSTHOG_URL": url,
    }
    return kept | places | KEYS
