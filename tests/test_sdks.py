"""The services' own SDKs as clients of our emulators, which so are more than our adapters' mirror."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from posthog import Posthog
from segment.analytics.client import Client as Segment

from kosmo_lua import Kosmo
from kosmo_lua.emulator import Emulator

WHEN = datetime(2026, 4, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def kosmo() -> Iterator[Kosmo]:
    """Serve the emulators, and call them by our own adapters."""
    with Kosmo(emulator=True) as kosmo:
        kosmo.emulator.start()
        yield kosmo


@pytest.fixture
def emulator(kosmo: Kosmo) -> Emulator:
    """Give them as new."""
    kosmo.emulator.reset()
    return kosmo.emulator


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Collect what an SDK could not deliver; the log that it writes of it is not shown."""
    caplog.set_level(logging.CRITICAL)
    return []


# Segment


@pytest.fixture(params=["one by one", "in a thread", "compressed"])
def segment(request: pytest.FixtureRequest, emulator: Emulator, errors: list[Any]) -> Segment:
    """Make Segment's own client, in each of its ways to send."""
    return Segment(
        "emulator-write-key",
        host=emulator.url,
        on_error=lambda error, _: errors.append(error),
        sync_mode=request.param == "one by one",
        gzip=request.param == "compressed",
        max_retries=0,
        upload_interval=0.01,
    )


def test_segments_own_sdk_is_understood(
    segment: Segment, emulator: Emulator, errors: list[Any]
) -> None:
    """Segment: it sends to `/v1/batch` only, with the key twice; each message is accepted and complete."""
    segment.identify("user-42", {"plan": "pro", "since": WHEN})
    segment.track("user-42", "Order Completed", {"revenue": 99.99}, timestamp=WHEN)
    segment.page("user-42", "Docs", "Pricing", {"url": "/pricing"})
    segment.screen("user-42", name="Start")
    segment.group("user-42", "org-123", {"name": "Acme"})
    segment.alias("anonymous-1", "user-42")
    segment.track(None, "Opened", anonymous_id="anonymous-1", context={"ip": "1.2.3.4"})
    if segment.consumers:  # shutdown() fails without a thread
        segment.shutdown()
    assert errors == []
    events = emulator.events("segment")
    assert [(event["type"], event["accepted"], event["reason"]) for event in events] == [
        (kind, True, None)
        for kind in ("identify", "track", "page", "screen", "group", "alias", "track")
    ]
    assert {str(event["write_key"]) for event in events} == {"emulator-write-key"}
    messages: list[Any] = [event["message"] for event in events]
    assert messages[0]["traits"] == {"plan": "pro", "since": WHEN.isoformat()}
    assert messages[1]["event"] == "Order Completed"
    assert messages[1]["properties"] == {"revenue": 99.99}
    assert datetime.fromisoformat(messages[1]["timestamp"]) == WHEN
    assert messages[6]["context"]["library"]["name"] == "analytics-python"
    assert len({message["messageId"] for message in messages}) == 7


def test_segments_own_sdk_understands_a_refusal(emulator: Emulator, errors: list[Any]) -> None:
    """Segment: it reads `code` and `message` of an error."""
    emulator.fault(status=400, path="/v1/batch")
    client = Segment(
        "emulator-write-key",
        host=emulator.url,
        on_error=lambda error, _: errors.append(error),
        upload_interval=0.01,
        max_retries=0,
    )
    client.track("user-42", "Lost")
    client.shutdown()
    assert [(error.status, error.code, error.message) for error in errors] == [
        (400, "bad_request", "Bad Request")
    ]
    assert emulator.events() == []


# PostHog


@pytest.fixture(params=["one by one", "in a thread", "compressed"])
def posthog(request: pytest.FixtureRequest, emulator: Emulator, errors: list[Any]) -> Posthog:
    """Make PostHog's own client, in each of its ways to send."""
    return Posthog(
        "phc_emulator",
        host=emulator.url,
        on_error=lambda error, _: errors.append(error),
        sync_mode=request.param == "one by one",
        gzip=request.param == "compressed",
        flush_interval=0.01,
        max_retries=0,
    )


def test_posthogs_own_sdk_is_understood(
    posthog: Posthog, emulator: Emulator, kosmo: Kosmo, errors: list[Any]
) -> None:
    """PostHog: what it captures is accepted, and our adapter reads it back."""
    uuid = posthog.capture(
        "purchase", distinct_id="new", properties={"amount": 49.99}, timestamp=WHEN
    )
    posthog.set(distinct_id="new", properties={"email": "new@example.com"})
    posthog.set_once(distinct_id="new", properties={"first": True})
    posthog.group_identify("company", "org-123", {"name": "Acme"}, distinct_id="new")
    posthog.alias("new", "other")
    posthog.capture("anonymous")
    posthog.shutdown()
    assert errors == []
    events = emulator.events("posthog")
    assert [(event["accepted"], event["reason"]) for event in events] == [(True, None)] * 6
    assert {(event["path"], event["api_key"]) for event in events} == {("/batch/", "phc_emulator")}
    listed = read(kosmo, "list_events", event="purchase", distinct_id="new", after="2026-04-01")
    assert [row["id"] for row in listed["results"]] == [uuid]
    assert listed["results"][0]["timestamp"] == "2026-04-10T12:00:00+00:00"
    assert listed["results"][0]["properties"]["amount"] == 49.99
    assert read(kosmo, "get_event", event_id=uuid) == listed["results"][0]
    person = read(kosmo, "list_persons", search="new@example.com")["results"][0]
    assert person["distinct_ids"] == ["new"]
    assert person["properties"].items() >= {"email": "new@example.com", "first": True}.items()


def read(kosmo: Kosmo, name: str, **arguments: Any) -> Any:
    """Call a function of our own adapter."""
    return kosmo.call(f"posthog.{name}", arguments)


def test_posthogs_own_sdk_understands_a_refusal(
    emulator: Emulator, kosmo: Kosmo, errors: list[Any]
) -> None:
    """PostHog: a personal key where the project's belongs is a 401."""
    client = Posthog(
        "phx_emulator",
        host=emulator.url,
        on_error=lambda error, _: errors.append(error),
        flush_interval=0.01,
        max_retries=0,
    )
    client.capture("lost", distinct_id="new")
    client.shutdown()
    assert [error.status for error in errors] == [401]
    assert "personal_api_key" in str(errors[0])
    assert emulator.events() == []
    assert read(kosmo, "list_events", after="-1d")["results"] == []
