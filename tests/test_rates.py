"""Rates: calls slow down instead of failing, and what a service asks of one call is asked of others, too."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw_server import RawServer, date, reply

from kosmo_lua import Kosmo, Result
from kosmo_lua.http.rates import Limiter
from kosmo_lua.integration import (
    Api,
    Credentials,
    Integration,
    Json,
    JsonObject,
    Origin,
    Rate,
    setting,
)
from kosmo_lua.results import Call, Retry
from kosmo_posthog import PostHog, PostHogCredentials
from kosmo_posthog.events import Events, list_events
from kosmo_posthog.flags import Flag, Flags, delete_feature_flag, list_feature_flags
from kosmo_posthog.insights import (
    Cohorts,
    Dashboards,
    Insights,
    list_cohorts,
    list_dashboards,
    list_insights,
)
from kosmo_posthog.persons import Persons, list_persons

pytestmark = pytest.mark.usefixtures("retries")

Environ = dict[str, str]

WORKSPACE: JsonObject = {"data": {"workspace": {"id": "w", "slug": "s", "name": "n"}}}
WHOAMI = "app.integrations.segment.get_current_user()"
TRACK = 'app.integrations.segment.track({event = "e", userId = "u"})'
WORK_TRACK = 'app.integrations.segment.work.track({event = "e", userId = "u"})'


def run(environ: Environ, code: str, **options: Any) -> Result:
    """Run Lua code."""
    with Kosmo(environ=environ, **options) as kosmo:
        return kosmo.run(code)


# The limiter


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


LIMITS = st.lists(st.tuples(st.integers(1, 5), st.floats(0.5, 20)), min_size=1, max_size=3).map(
    tuple
)
STEPS = st.lists(st.one_of(st.just(0.0), st.floats(0, 5)), max_size=60)


def assert_kept(limits: Any, sent: list[float]) -> None:
    """Assert that no window of time has more requests than its limit allows."""
    for count, seconds in limits:
        for first, later in zip(sent, sent[count:], strict=False):
            assert later - first >= seconds - 1e-6


@given(limits=LIMITS, steps=STEPS, waits=st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_window_has_more_requests_than_its_limit(
    *, limits: tuple[tuple[int, float], ...], steps: list[float], waits: bool
) -> None:
    """Issue 6: whatever the pace of the calls; and who waits as long as he is told gets a place."""
    clock = Clock()
    limiter = Limiter(Rate("any", limits), clock)
    sent = list[float]()
    for step in steps:
        clock.now += step
        wait, asked = limiter.take()
        assert not asked
        if wait and waits:
            clock.now += wait + 1e-9
            assert limiter.take() == (0.0, False)
            wait = 0.0
        if not wait:
            sent.append(clock.now)
    assert_kept(limits, sent)


@given(
    holds=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 10)), max_size=20),
    limits=LIMITS,
)
@settings(max_examples=100, deadline=None)
def test_nothing_is_sent_while_a_service_asks_to_wait(
    holds: list[tuple[float, float]], limits: tuple[tuple[int, float], ...]
) -> None:
    """Issue 6: the longest wait counts, and a shorter one after it does not shorten it."""
    clock = Clock()
    limiter = Limiter(Rate("any", limits), clock)
    held = 0.0
    for step, wait in holds:
        clock.now += step
        limiter.hold(wait)
        held = max(held, clock.now + wait)
        seconds, asked = limiter.take()
        if held > clock.now:
            assert asked
            assert seconds == held - clock.now
        else:
            assert not asked


def test_several_threads_keep_the_limit_together() -> None:
    """Issue 6: all calls of an account share it; here 8 threads and a clock that goes on with each look."""
    lock, of_thread = threading.Lock(), threading.local()
    times, sent = iter(range(1_000_000)), list[float]()

    def clock() -> float:
        with lock:
            of_thread.now = next(times) / 100
        return float(of_thread.now)

    limits = ((7, 1.0), (20, 5.0))
    limiter = Limiter(Rate("any", limits), clock)

    def work() -> None:
        for _ in range(25):
            while limiter.take()[0]:
                pass
            sent.append(of_thread.now)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 200
    assert_kept(limits, sorted(sent))


# A loop slows down


class PacedCredentials(Credentials):
    """Where the service is."""

    url: Origin = setting("Address.")


class Paced(Api[PacedCredentials]):
    """A service that says in its docs what it takes."""

    title = "Paced"


paced = Integration(
    "paced",
    title="Paced",
    summary="Takes three requests in half a second.",
    credentials=PacedCredentials,
    api=Paced,
)


@paced.read()
def look(api: Paced) -> Json:
    """Look.

    Returns: what is there.
    """
    return api.request("GET", api.credentials.url, rate=Rate("looks", ((3, 0.5),)))


@pytest.mark.parametrize(
    "code",
    [
        "for i = 1, 7 do app.integrations.paced.look() end",
        "parallel.map({1, 2, 3, 4, 5, 6, 7}, function() app.integrations.paced.look() end)",
    ],
)
def test_a_loop_slows_down_instead_of_failing(code: str, server: RawServer) -> None:
    """Issue 6: a documented limit is kept, and meta says how long it took; nothing was refused."""
    result = run({"KOSMO_PACED_URL": server.url}, code, integrations=[paced], retry_budget=0)
    assert result.error is None
    assert len(server.requests) == 7
    assert result.execution_time_ms >= 1000
    waits = [wait for call in result.call_log for wait in call.retries]
    assert {(wait.reason, wait.status) for wait in waits} == {("rate", None)}
    assert all(len(call.retries) <= 1 for call in result.call_log)
    assert all(call.attempts == 1 for call in result.call_log)
    assert result.meta.waited_ms == pytest.approx(sum(wait.waited_ms for wait in waits))
    assert result.meta.waited_ms >= 900


@pytest.mark.parametrize("remaining", ["0", "-1"])
@pytest.mark.parametrize("status", [200, 404])
def test_a_rate_that_is_used_up_is_learnt_from_headers(
    status: int, remaining: str, server: RawServer, to_server: Environ
) -> None:
    """Issue 6: the next request waits, before it is refused."""
    headers = {"X_RateLimit_Remaining": remaining, "X_RateLimit_Reset": "0.3"}
    server.answers(reply(status, WORKSPACE, **headers), reply(200, WORKSPACE))
    result = run(to_server, f"pcall(function() return {WHOAMI} end) {WHOAMI}")
    first, second = result.call_log
    assert first.retries == ()
    assert second._replace(duration_ms=0, retries=()) == Call(
        "segment.get_current_user", "default", "read", "sent", 200, 1
    )
    [wait] = second.retries
    assert (wait.reason, wait.status) == ("rate", None)
    assert 200 < wait.waited_ms <= 300
    assert result.meta.waited_ms == wait.waited_ms


def test_a_rate_with_room_holds_nothing_back(server: RawServer, to_server: Environ) -> None:
    """Segment: successes carry the headers, too."""
    headers = {"X_RateLimit_Remaining": "10", "X_RateLimit_Reset": date(4e9)}
    server.usual = reply(200, WORKSPACE, **headers)
    result = run(to_server, f"{WHOAMI} {WHOAMI}")
    assert [call.retries for call in result.call_log] == [(), ()]


# Whom a wait holds back


@pytest.fixture
def two_accounts(to_server: Environ, server: RawServer) -> Environ:
    """Give the settings of another account of Segment, too."""
    return to_server | {
        "KOSMO_SEGMENT__WORK__WRITE_KEY": "other-key-of-tests",
        "KOSMO_SEGMENT__WORK__TRACKING_URL": server.url,
    }


def test_a_wait_holds_back_the_calls_of_the_same_account_and_class(
    server: RawServer, two_accounts: Environ
) -> None:
    """Issue 6: not those of another account, nor of the other API, which have limits of their own."""
    server.answers(
        reply(429, None, Retry_After="600"),
        reply(200, {"success": True}),
        reply(200, WORKSPACE),
    )
    code = f"""
        local function try(f) local ok, err = pcall(f) return ok and "sent" or err.message end
        return {{
            try(function() return {TRACK} end),
            try(function() return {TRACK} end),
            try(function() return {WORK_TRACK} end),
            try(function() return {WHOAMI} end),
        }}
    """
    result = run(two_accounts, code)
    assert result.result == [
        "segment.track_event: Segment answered 429",
        "segment.track_event: Segment has asked to wait for 600 s",
        "sent",
        "sent",
    ]
    assert len(server.requests) == 3
    held = result.call_log[1]
    assert (held.effect, held.status, held.attempts) == ("none", None, 0)


def test_a_wait_that_is_over_holds_nobody_back(server: RawServer, to_server: Environ) -> None:
    """Issue 6: the calls that were held back go on, each after one wait."""
    server.answers(reply(429, None, Retry_After="0.6"))
    code = f"{TRACK} parallel.map({{1, 2, 3}}, function() {TRACK} end)"
    result = run(to_server, code)
    assert result.error is None
    assert [call.retries for call in result.call_log] == [(Retry("rate", 600, 429),), (), (), ()]


# Which limits are documented


class Asked(PostHog):
    """Notes what is asked of it, and under which rate."""

    def __init__(self, **settings: str) -> None:
        super().__init__(PostHogCredentials(**{"project_id": "1", **settings}))  # type: ignore[arg-type]  # texts
        self.rates: list[Rate] = []

    def request(self, *_: object, rate: Rate, **__: object) -> Json:  # type: ignore[override]  # the end of it
        """Note the rate."""
        self.rates.append(rate)
        return {"results": []}


ANALYTICS = ((240, 60), (1200, 3600))
OTHERS = ((480, 60), (4800, 3600))
FUNCTIONS: list[tuple[Callable[[Asked], object], str, object]] = [
    (
        lambda api: list_events(api, Events.model_validate({"after": "-1d"})),
        "analytics",
        ANALYTICS,
    ),
    (lambda api: list_persons(api, Persons.model_validate({})), "analytics", ANALYTICS),
    (lambda api: list_insights(api, Insights.model_validate({})), "analytics", ANALYTICS),
    (lambda api: list_feature_flags(api, Flags.model_validate({})), "crud", OTHERS),
    (lambda api: delete_feature_flag(api, Flag(flag_id=1)), "crud", OTHERS),
    (lambda api: list_dashboards(api, Dashboards.model_validate({})), "crud", OTHERS),
    (lambda api: list_cohorts(api, Cohorts.model_validate({})), "crud", OTHERS),
    (lambda api: api.key(), "crud", OTHERS),
    (lambda api: api.deliver_batch([b"{}"]), "capture", ()),
]
CLOUD: list[dict[str, str]] = [
    {},
    {"region": "eu"},
    {"url": "https://us.posthog.com"},
    {"url": "https://app.posthog.com"},
    {"url": "https://eu.i.posthog.com"},
]
"""Settings that mean PostHog Cloud."""


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_documented_limits_are_those_of_posthog_cloud(number: int) -> None:
    """FACTS: analytics and the rest have limits of their own; whoever hosts PostHog sets others, or none."""
    call, name, limits = FUNCTIONS[number]
    for where in CLOUD:
        api = Asked(**where)
        call(api)
        assert api.rates == [Rate(name, limits)]  # type: ignore[arg-type]  # of the table
    api = Asked(url="https://posthog.example.com")
    call(api)
    assert api.rates == [Rate(name)]
