"""`integrations:call` with --retry-budget and --run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished
from envelopes import assert_fits

from kosmo_lua.emulator import Emulator

pytestmark = pytest.mark.usefixtures("retries")

Kosmo = Callable[..., Finished]

TRACK = ("integrations:call", "segment.track", "--event=E", "--user-id=u", "--json")


def test_call_is_tried_again_within_its_budget(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: as in a script; the call log says so."""
    kosmo_emulator.fault(status=503)
    document = kosmo(*TRACK).json()
    assert_fits("integrations:call", document)
    (call,) = document["call_log"]
    assert (call["attempts"], call["status"]) == (2, 200)
    assert [wait["reason"] for wait in call["retries"]] == ["retry"]


def test_without_a_budget_it_is_sent_once(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: 0 means never."""
    kosmo_emulator.fault(status=503)
    done = kosmo(*TRACK, "--retry-budget=0")
    (call,) = done.json()["call_log"]
    assert (done.status, call["attempts"], call["retries"]) == (69, 1, [])


@pytest.mark.usefixtures("home")
def test_repeated_run_has_the_same_ids(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """The card: the service drops what it already has; the envelope names the run."""
    documents = [kosmo(*TRACK, "--run", name).json() for name in ("one", "one", "two")]
    assert [each["meta"]["run_id"] for each in documents] == ["one", "one", "two"]
    ids = [each["data"]["message_id"] for each in documents]
    assert ids[0] == ids[1] != ids[2]
    messages = [event["message"] for event in kosmo_emulator.events()]
    assert [message["messageId"] for message in messages if isinstance(message, dict)] == ids


@pytest.mark.parametrize(
    "options", [["--run", "../x"], ["--run", ""], ["--retry-budget=-1"], ["--retry-budget=nan"]]
)
def test_option_that_cannot_be_used_sends_nothing(
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator, options: list[str]
) -> None:
    """Ours: a mistake is a usage error, and leaves nothing behind."""
    done = kosmo(*TRACK, *options)
    assert (done.status, done.json()["error_info"]["code"]) == (2, "usage")
    assert kosmo_emulator.events() == []
    assert [*home.iterdir()] == []


@pytest.mark.usefixtures("kosmo_emulator", "home")
def test_options_may_stand_before_the_function(kosmo: Kosmo) -> None:
    """Ours: as the other options do."""
    command, *rest = TRACK
    done = kosmo(command, "--run", "r", "--retry-budget", "1", *rest)
    assert done.json()["meta"]["run_id"] == "r"
