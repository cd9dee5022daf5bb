"""What is configured, and whether it works: integrations:status, doctor, fields, test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished
from envelopes import assert_fits

from kosmo_lua import Kosmo as Embedded
from kosmo_lua import KosmoError
from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]

SECRET = "canary-4711-secret"
KEYS = {
    "SEGMENT_WRITE_KEY": SECRET,
    "KOSMO_SEGMENT__WORK__API_TOKEN": SECRET,
    "KOSMO_SEGMENT__WORK__REGION": "eu",
}


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


@pytest.fixture
def show(kosmo: Kosmo) -> Callable[..., Any]:
    """Run a command with --json; return its document, which fits its schema and shows no secret."""

    def show(command: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
        done = kosmo(f"integrations:{command}", *arguments, "--json", env=env or KEYS)
        document = done.json()
        assert_fits(f"integrations:{command}", document)
        assert SECRET not in done.stdout + done.stderr
        info = document["error_info"]
        assert (done.status == 0) is (info is None)
        return document

    return show


def test_status_lists_accounts(show: Callable[..., Any]) -> None:
    """Upstream: active, configured, accounts, the number of functions."""
    assert show("status")["providers"] == {
        "posthog": {
            "active": True,
            "configured": False,
            "accounts": ["default"],
            "functions": 21,
        },
        "segment": {
            "active": True,
            "configured": True,
            "accounts": ["default", "work"],
            "functions": 9,
        },
    }


def test_doctor_says_what_is_missing_and_what_comes_next(show: Callable[..., Any]) -> None:
    """Upstream: missing credentials, permissions, examples, and the exact next commands."""
    (diagnosis,) = show("doctor", "segment")["providers"].values()
    assert diagnosis == {
        "active": True,
        "configured": True,
        "missing_credentials": ["api_token"],
        "accounts": [
            {"account": "default", "configured": True, "missing": ["api_token"], "problem": None},
            {"account": "work", "configured": True, "missing": ["write_key"], "problem": None},
        ],
        "permissions": {"read": "allow", "write": "ask"},
        "function_count": 9,
        "example_functions": [
            "segment.identify_user",
            "segment.track_event",
            "segment.page_view",
            "segment.group",
            "segment.get_workspace",
        ],
        "next_commands": [
            "export KOSMO_SEGMENT_API_TOKEN=...",
            "kosmo integrations:test segment",
            "kosmo integrations:test segment --account work",
            "export KOSMO_SEGMENT_WRITE=allow",
            "kosmo integrations:docs segment",
        ],
    }


def test_doctor_tells_a_setting_that_cannot_be_used(show: Callable[..., Any]) -> None:
    """Ours: the diagnosis goes on, and names the variable."""
    env = {"POSTHOG_API_KEY": f"phx_{SECRET}", "KOSMO_SEGMENT_WRITE": "perhaps"}
    found = show("doctor", env=env)["providers"]
    (account,) = found["posthog"]["accounts"]
    assert account["problem"].startswith("POSTHOG_API_KEY is a personal API key (phx_...)")
    assert (
        found["segment"]["permissions"]["write"]
        == "KOSMO_SEGMENT_WRITE must be allow, ask or deny"
    )


def test_fields_show_where_a_setting_comes_from_and_never_its_value(
    show: Callable[..., Any],
) -> None:
    """Upstream: key, label, type, required, configured, description."""
    document = show("fields", "segment")
    assert document["fields"][0] == {
        "key": "write_key",
        "label": "Write key",
        "type": "secret",
        "required": False,
        "configured": True,
        "source": "SEGMENT_WRITE_KEY",
        "description": (
            "Write key of a source (Connections > Sources > Settings > API Keys). Sends events."
        ),
        "variables": [
            "KOSMO_SEGMENT_WRITE_KEY",
            "KOSMO_SEGMENT__DEFAULT__WRITE_KEY",
            "SEGMENT_WRITE_KEY",
        ],
    }
    kinds = {field["key"]: field["type"] for field in document["fields"]}
    assert kinds == {
        "write_key": "secret",
        "api_token": "secret",
        "region": "us|eu",
        "tracking_url": "url",
        "api_url": "url",
    }
    assert document["example"] == "export KOSMO_SEGMENT_WRITE_KEY=..."


def test_fields_of_an_account_are_its_own(show: Callable[..., Any]) -> None:
    """The card: --account, which need not exist yet."""
    work, new = (show("fields", "segment", "--account", name) for name in ("work", "new"))
    assert [each["source"] for each in work["fields"] if each["configured"]] == [
        "KOSMO_SEGMENT__WORK__API_TOKEN",
        "KOSMO_SEGMENT__WORK__REGION",
    ]
    assert not any(each["configured"] for each in new["fields"])
    assert new["example"] == "export KOSMO_SEGMENT__NEW__WRITE_KEY=..."


@pytest.mark.parametrize("command", ["doctor", "fields", "test"])
def test_an_unknown_provider_is_an_error(show: Callable[..., Any], command: str) -> None:
    """W12: with a suggestion, in the envelope of the command."""
    document = show(command, "segmnt")
    assert document["error_info"]["code"] == "unknown_integration"
    assert "Did you mean: segment" in document["error"]


class TestCheck:
    """integrations:test asks the service, and only reads."""

    def test_working_keys(self, show: Callable[..., Any], kosmo_emulator: Emulator) -> None:
        """W17: the test of upstream wrote an event. A write key cannot be checked, and it says so."""
        document = show("test", "segment", env={"X": ""})
        assert document["checks"] == [
            {
                "key": "write_key",
                "state": "unchecked",
                "message": "Segment takes events with any key: send one, and look for it in the"
                " source's debugger.",
            },
            {
                "key": "api_token",
                "state": "works",
                "message": "reads the workspace my-workspace.",
            },
        ]
        posthog = show("test", "posthog", env={"X": ""})
        assert [check["state"] for check in posthog["checks"]] == ["unchecked", "works"]
        assert posthog["checks"][1]["message"] == "is for project 1, with the scope *."
        assert kosmo_emulator.events() == []

    @pytest.mark.parametrize("provider", ["segment", "posthog"])
    def test_a_key_that_is_refused(
        self, show: Callable[..., Any], kosmo_emulator: Emulator, provider: str
    ) -> None:
        """The card: the answer names the variable to look at."""
        del kosmo_emulator
        variable = f"KOSMO_{provider.upper()}_API_TOKEN"
        document = show("test", provider, env={variable: SECRET})
        info, check = document["error_info"], document["checks"][1]
        assert (info["code"], info["status"]) == ("service_error", 401)
        assert variable in info["hint"]
        assert (check["key"], check["state"], check["message"]) == (
            "api_token",
            "failed",
            document["error"],
        )

    def test_a_key_of_another_project(
        self, show: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """Ours: a key that works, and not where it is to be used, is found, too."""
        del kosmo_emulator
        document = show("test", "posthog", env={"POSTHOG_PROJECT_ID": "2"})
        assert document["error_info"]["code"] == "config_error"
        assert "project_id is 2, but the key is for project 1" in document["error"]

    def test_no_key_at_all(self, show: Callable[..., Any]) -> None:
        """The card: what is missing, and the command that says what to set."""
        document = show("test", "segment", env={"X": ""})
        assert [check["state"] for check in document["checks"]] == ["missing", "missing"]
        assert document["error_info"]["code"] == "credentials_missing"
        assert "kosmo integrations:doctor segment" in document["error_info"]["hint"]

    def test_one_account_of_several(self, show: Callable[..., Any]) -> None:
        """The card: --account; an unknown one is an error."""
        env = {"KOSMO_SEGMENT__WORK__WRITE_KEY": SECRET}
        work = show("test", "segment", "--account", "work", env=env)
        assert [check["state"] for check in work["checks"]] == ["unchecked", "missing"]
        unknown = show("test", "segment", "--account", "wrk", env=env)
        assert unknown["error_info"]["code"] == "unknown_account"
        assert unknown["checks"] is None

    def test_a_policy_holds_for_a_check(
        self, show: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """Ours: a check is a read, on the path of every call."""
        del kosmo_emulator
        document = show("test", "segment", env={"KOSMO_SEGMENT_READ": "deny"})
        assert document["error_info"]["code"] == "denied"

    def test_a_projects_policy_holds_for_a_check(
        self,
        show: Callable[..., Any],
        kosmo_emulator: Emulator,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Ours: its file denies everywhere in its folder; no option of this command would lift it."""
        del kosmo_emulator
        monkeypatch.chdir(tmp_path)
        (tmp_path / "kosmo.toml").write_text('[policy]\n"segment.read" = "deny"\n')
        document = show("test", "segment", env={"X": ""})
        info = document["error_info"]
        assert (info["code"], info["hint"]) == (
            "denied",
            f"Change that rule in {tmp_path / 'kosmo.toml'}.",
        )

    def test_on_the_emulator(self, kosmo: Kosmo) -> None:
        """Ours: a newcomer can try it; for people the outcome is a table."""
        done = kosmo("integrations:test", "segment", "--emulator")
        assert (done.status, done.stderr) == (0, "")
        assert (
            done.stdout.splitlines()[1]
            == "api_token  works      reads the workspace my-workspace."
        )


def test_text_is_for_people(kosmo: Kosmo) -> None:
    """Ours: each of the commands can be read without --json."""
    status = kosmo("integrations:status", env=KEYS).stdout.splitlines()
    assert status[2].split() == ["segment", "configured", "default,", "work", "9"]
    doctor = kosmo("integrations:doctor", "segment", env=KEYS).stdout
    assert "  account work: no write_key\n" in doctor
    assert "    kosmo integrations:test segment --account work\n" in doctor
    fields = kosmo("integrations:fields", "segment", env=KEYS).stdout.splitlines()
    assert fields[1].split()[:3] == ["write_key", "secret", "SEGMENT_WRITE_KEY"]


def test_programs_have_the_same_facts() -> None:
    """Ours: Kosmo.readiness and Kosmo.check are what the commands print."""
    with Embedded(emulator=True, environ={}) as kosmo:
        assert kosmo.readiness.doctor("segment").providers["segment"].missing_credentials == ()
        assert kosmo.readiness.status().providers["segment"].configured
        answer = kosmo.check("segment")
        assert (answer.success, answer.facts.checks[1].state) == (True, "works")
        with pytest.raises(KosmoError) as caught:
            kosmo.check("segmnt")
        assert caught.value.code == "unknown_integration"
