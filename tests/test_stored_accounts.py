"""Accounts in the user's credentials.toml: where a value comes from, how it is kept, what is refused."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import keyring
import pytest
from keyring.backend import KeyringBackend
from pydantic import model_validator

from kosmo_lua import Kosmo, KosmoError
from kosmo_lua.accounts import Accounts
from kosmo_lua.config import Config
from kosmo_lua.configure import Configurator
from kosmo_lua.emulator import Emulator
from kosmo_lua.integration import Api, Credentials, Integration, SecretStr, setting
from kosmo_segment import segment

TRACK = 'app.integrations.segment{}.track({{event = "E", userId = "u"}})'
CANARY = "canary-4f1d-secret"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of the user's own."""
    home = tmp_path / "home"
    home.mkdir()
    return home


def store(home: Path, text: str) -> None:
    """Write credentials.toml as the user would."""
    file = home / "credentials.toml"
    file.write_text(textwrap.dedent(text))
    file.chmod(0o600)


def keys(emulator: Emulator) -> list[object]:
    """Return the write keys that were used."""
    return [event["write_key"] for event in emulator.events()]


@pytest.fixture
def send(home: Path, kosmo_emulator: Emulator) -> Callable[..., Any]:
    """Track an event with an account of `home`, at the emulator."""

    def send(account: str = "", **environ: str) -> Any:
        given = {"KOSMO_HOME": str(home), **environ}
        return Kosmo(environ=given, force=True).run(TRACK.format(account))

    del kosmo_emulator
    return send


def failure(result: Any) -> tuple[str, str]:
    """Return the code and the sentence of a failed run, which never show the canary."""
    assert CANARY not in result.to_json()
    assert result.error_info is not None
    return result.error_info.code, result.error


class TestWhere:
    """Which value counts."""

    def test_stored_accounts_are_namespaces(
        self, home: Path, send: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """The card: every account is a namespace; one with a name that is no identifier in brackets."""
        url = kosmo_emulator.url
        store(
            home,
            f"""
            [segment.default]
            write_key = "one"
            tracking_url = "{url}"
            [segment.eu-prod]
            write_key = "two"
            tracking_url = "{url}"
            """,
        )
        assert send().success
        assert send('["eu-prod"]').success
        assert keys(kosmo_emulator) == ["one", "two"]

    def test_environment_wins_over_the_file(
        self, home: Path, send: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """The card: environment first, setting by setting, also for `eu-prod`."""
        url = kosmo_emulator.url
        store(
            home,
            f"""
            [segment.default]
            write_key = "stored"
            tracking_url = "{url}"
            [segment.eu-prod]
            write_key = "stored"
            tracking_url = "{url}"
            """,
        )
        assert send(SEGMENT_WRITE_KEY="variable").success
        assert send('["eu-prod"]', KOSMO_SEGMENT__EU_PROD__WRITE_KEY="variable").success
        assert keys(kosmo_emulator) == ["variable", "variable"]

    def test_account_of_both_is_one(self, home: Path) -> None:
        """Ours: the variable's spelling of a stored name is no second account."""
        store(home, "[segment.eu-prod]\nwrite_key = 'x'")
        environ = {"KOSMO_HOME": str(home), "KOSMO_SEGMENT__EU_PROD__WRITE_KEY": "y"}
        assert Kosmo(environ=environ).accounts.names("segment") == ["default", "eu-prod"]

    def test_alias_of_a_setting_is_understood(self, home: Path) -> None:
        """DESIGN: `personal_api_key` is PostHog's `api_token`."""
        store(home, "[posthog.default]\npersonal_api_key = 'phx_x'")
        kosmo = Kosmo(environ={"KOSMO_HOME": str(home)})
        posthog = kosmo.catalog.integration("posthog")
        assert kosmo.accounts.load(posthog, "default").api_token.get_secret_value() == "phx_x"  # type: ignore[attr-defined]  # PostHog's

    def test_tenant_of_an_embedder_has_no_files(self, home: Path) -> None:
        """Ours: `environ={...}` without a home reads nothing of the user who runs the program."""
        store(home, "[segment.default]\nwrite_key = 'x'")
        assert Kosmo(environ={}).accounts.names("segment") == ["default"]
        assert (
            failure(Kosmo(environ={}, force=True).run(TRACK.format("")))[0]
            == "credentials_missing"
        )


class TestSpelling:
    """An account asked for in another spelling of the name that its variables have."""

    @pytest.mark.parametrize("asked", ["eu_prod", "eu-prod", "EU_PROD", "Eu-Prod"])
    def test_account_of_variables_has_one_name_everywhere(
        self, home: Path, kosmo_emulator: Emulator, asked: str
    ) -> None:
        """Ours: the pair of the guide, `segment["eu-prod"]` and KOSMO_SEGMENT__EU_PROD__WRITE_KEY."""
        environ = {
            "KOSMO_HOME": str(home),
            "KOSMO_SEGMENT__EU_PROD__WRITE_KEY": "a-key",
            "KOSMO_SEGMENT__EU_PROD__TRACKING_URL": kosmo_emulator.url,
        }
        audit = home / "audit.jsonl"
        questions: list[str] = []
        with Kosmo(
            environ=environ,
            audit=str(audit),
            ask=lambda question: not questions.append(question.account),  # type: ignore[func-returns-value]  # None is falsy
        ) as kosmo:
            result = kosmo.run(TRACK.format(f'["{asked}"]'))
            called = kosmo.attempt(
                "segment.eu-prod.track", {"event": "E", "userId": "u"}, account=asked
            )
        assert (result.error, called.error) == (None, None)
        logged = [json.loads(line)["account"] for line in audit.read_text().splitlines()]
        (call,) = result.call_log
        assert [call.account, called.account, *questions, *logged] == ["eu_prod"] * 6
        assert keys(kosmo_emulator) == ["a-key", "a-key"]

    @pytest.mark.parametrize("asked", ["eu_prod", "EU-Prod"])
    def test_stored_account_keeps_its_stored_name(
        self, home: Path, send: Callable[..., Any], kosmo_emulator: Emulator, asked: str
    ) -> None:
        """Ours: the name in the file is the one that is told."""
        url = kosmo_emulator.url
        store(home, f"[segment.eu-prod]\nwrite_key = 'stored'\ntracking_url = '{url}'")
        result = send(f'["{asked}"]')
        assert [call.account for call in result.call_log] == ["eu-prod"]
        assert keys(kosmo_emulator) == ["stored"]
        administration = Kosmo(environ={"KOSMO_HOME": str(home)}).administration
        assert administration.account("segment", asked).account == "eu-prod"
        explained = administration.explain(f"segment.{asked}.write_key")
        assert explained.source == f"segment.eu-prod.write_key in {home / 'credentials.toml'}"

    def test_credentials_are_checked_in_every_spelling(self, home: Path) -> None:
        """Ours: `integrations:test`, whose answer has the account's own name."""
        environ = {"KOSMO_HOME": str(home), "KOSMO_SEGMENT__EU_PROD__WRITE_KEY": "a-key"}
        with Kosmo(environ=environ) as kosmo:
            answer = kosmo.check("segment", "eu-prod")
            fields = kosmo.readiness.fields("segment", "eu-prod")
        assert (answer.error, answer.facts.account) == (None, "eu_prod")
        assert (fields.account, fields.fields[0].configured) == ("eu_prod", True)

    @pytest.mark.parametrize("account", ["default", "eu-prod"])
    def test_emulator_needs_no_file_that_can_be_read(self, home: Path, account: str) -> None:
        """Ours: every account is one there, whatever is stored."""
        store(home, "[segment.eu-prod\n")
        with Kosmo(environ={"KOSMO_HOME": str(home)}, emulator=True) as kosmo:
            kosmo.call("segment.track", {"event": "E", "userId": "u"}, account=account)
            assert len(kosmo.emulator.events()) == 1

    @pytest.mark.parametrize(
        ("stored", "sentence"),
        [
            ("eu-prod", "the accounts eu-prod and eu_prod of Segment have the same variables"),
            ("eu_prod", "the accounts eu-prod and eu_prod of Segment have the same variables"),
            ("default", "the accounts default and Default of Segment have the same variables"),
        ],
    )
    def test_two_stored_accounts_of_one_spelling_are_refused(
        self, home: Path, send: Callable[..., Any], stored: str, sentence: str
    ) -> None:
        """Ours: a rule about one would be a rule about the other."""
        store(
            home,
            """
            [segment.eu-prod]
            write_key = "a"
            [segment.eu_prod]
            write_key = "b"
            [segment.Default]
            write_key = "c"
            """,
        )
        result = send(f'["{stored}"]')
        assert failure(result) == ("config_error", f"eval:1: segment.track_event: {sentence}")
        assert result.error_info.hint == f"Rename one of them in {home / 'credentials.toml'}."


class TestCommand:
    """`cmd:`, a command that prints the value."""

    def test_first_line_that_it_prints_is_the_value(
        self, home: Path, send: Callable[..., Any], kosmo_emulator: Emulator
    ) -> None:
        """The card: a helper such as `op read`."""
        store(
            home,
            f"""
            [segment.default]
            write_key = "cmd:printf 'from-a-vault\\\\nmore'"
            tracking_url = "{kosmo_emulator.url}"
            """,
        )
        assert send().success
        assert keys(kosmo_emulator) == ["from-a-vault"]

    def test_no_shell_reads_it(
        self, home: Path, send: Callable[..., Any], kosmo_emulator: Emulator, tmp_path: Path
    ) -> None:
        """The card: run without a shell."""
        store(
            home,
            f"""
            [segment.default]
            write_key = "cmd:echo key;>{tmp_path}/touched;$HOME"
            tracking_url = "{kosmo_emulator.url}"
            """,
        )
        assert send().success
        assert keys(kosmo_emulator) == [f"key;>{tmp_path}/touched;$HOME"]
        assert not (tmp_path / "touched").exists()

    @pytest.mark.parametrize(
        ("command", "sentence"),
        [
            (f"sh -c 'echo {CANARY}; exit 3'", "ended with exit status 3"),
            ("true", "printed nothing"),
            ("no-such-command-here", "cannot be run: No such file or directory"),
            ("'unbalanced", "cannot be run"),
            ("", "cannot be run"),
        ],
    )
    def test_failure_is_told_and_its_output_never_shown(
        self, home: Path, send: Callable[..., Any], command: str, sentence: str
    ) -> None:
        """The card: one clear sentence, nothing sent."""
        store(home, f'[segment.default]\nwrite_key = "cmd:{command}"')
        code, message = failure(send())
        assert (code, sentence in message) == ("config_error", True)
        assert "write_key of the account default of segment" in message

    def test_command_that_hangs_is_ended(
        self, home: Path, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The card: a time limit."""
        monkeypatch.setattr("kosmo_lua.config.command.SECONDS", 0.2)
        store(home, '[segment.default]\nwrite_key = "cmd:sleep 60"')
        assert failure(send())[1].endswith("took longer than 0.2 s")


class TestFile:
    """credentials.toml itself."""

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
    def test_file_that_others_can_read_is_refused(
        self, home: Path, send: Callable[..., Any], mode: int
    ) -> None:
        """The card: refused with the fix."""
        store(home, f"[segment.default]\nwrite_key = '{CANARY}'")
        (home / "credentials.toml").chmod(mode)
        result = send()
        assert failure(result)[0] == "config_error"
        assert result.error_info.hint == f"Run: chmod 600 {home / 'credentials.toml'}"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            (f"[segment.default]\nwrite_key = {CANARY}", "is not valid TOML"),
            ("[segment.default\n", "line 1"),
            (f"[segment.default]\nwritekey = '{CANARY}'", "did you mean write_key?"),
            ("[segment.default]\nregion = 'mars'", "region"),
            ("[segment.default]\nwrite_key = true", "must be a text"),
            ("[segment.default]\nwrite_key = ['x']", "must be a text"),
            (f"[segment.default]\nwrite_key = '{CANARY} x'", "contains a quote or white space"),
            (f"[segment.default]\nwrite_key = '\"{CANARY}\"'", "is in quotes"),
            (
                f"[segment.default]\nwrite_key = 'cmd:echo {CANARY} x'",
                "contains a quote or white space",
            ),
            (f'[segment.default]\nwrite_key = "x\\n{CANARY}"', "characters that no key"),
        ],
    )
    def test_mistake_is_one_sentence_without_the_secret(
        self, home: Path, send: Callable[..., Any], text: str, sentence: str
    ) -> None:
        """The card: broken TOML with its line, unknown keys with a suggestion."""
        store(home, text)
        code, message = failure(send())
        assert code == "config_error"
        assert sentence in message
        assert str(home / "credentials.toml") in message or "segment.default" in message


class _Memory(KeyringBackend):
    """A keyring for the length of a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            message = f"locked {CANARY}"
            raise RuntimeError(message)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def memory() -> Iterator[_Memory]:
    """Use a keyring of this test's own."""
    previous = keyring.get_keyring()
    memory = _Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(previous)


class TestMisspeltIntegration:
    """Accounts that are stored below almost the name of an integration."""

    def test_unknown_account_that_is_there_says_where(
        self, home: Path, send: Callable[..., Any]
    ) -> None:
        """Ours: `accounts:list` would have told, but it is the run that ends."""
        store(home, f"[segmnt.eu-prod]\nwrite_key = '{CANARY}'\n[other.eu-prod]\nx = 'y'")
        path = home / "credentials.toml"
        result = send(".eu_prod")
        message = f"unknown account eu_prod of Segment. {path} has it as segmnt.eu-prod."
        assert failure(result) == ("unknown_account", f"eval:1: segment.track_event: {message}")
        assert result.error_info.hint == f"Write [segment.eu-prod] in {path}."
        assert failure(send(".us"))[1].endswith("of Segment. Configured: default.")

    def test_missing_credential_that_is_there_says_where(
        self, home: Path, send: Callable[..., Any]
    ) -> None:
        """Ours: the account default is always known, and has nothing then."""
        path = home / "credentials.toml"
        store(home, f"[segmnt.default]\nwrite_key = '{CANARY}'")
        result = send()
        code, message = failure(result)
        assert (code, message.endswith("has no write key")) == ("credentials_missing", True)
        assert result.error_info.hint == (
            f"{path} has it as segmnt.default: write [segment.default] there."
        )
        store(home, "[segmnt.default]\nregion = 'eu'")
        assert send().error_info.hint.startswith("Set KOSMO_SEGMENT_WRITE_KEY, ")


class _Login(Credentials):
    """The settings of a service with passwords."""

    password: SecretStr | None = setting("The password.", unchecked="It is a test.")
    user: str | None = setting("Whose it is.")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if self.user and not self.password:
            message = "a user needs a password"
            raise ValueError(message)
        return self


VAULT = Integration("vault", "Vault", "Keeps.", credentials=_Login, api=Api[_Login])


def test_settings_that_do_not_go_together_are_one_sentence() -> None:
    """Ours: no setting alone is wrong then."""
    with pytest.raises(KosmoError) as caught:
        Accounts({"KOSMO_VAULT_USER": "u"}).load(VAULT, "default")
    assert (caught.value.code, caught.value.message) == (
        "config_error",
        "the account of Vault: a user needs a password",
    )


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("correct horse", None),
        ("it's", None),
        ('"', None),
        ("' and '", "is in quotes"),
        ('"horse"', "is in quotes"),
    ],
)
def test_password_may_have_what_no_key_has_and_is_not_in_quotes(
    password: str, problem: str | None
) -> None:
    """Ours: only of what a service issues is it known that it has neither spaces nor quotes."""
    accounts = Accounts({"KOSMO_VAULT_PASSWORD": password})
    if problem is None:
        assert accounts.load(VAULT, "default").secrets() == [password]
        return
    with pytest.raises(KosmoError) as caught:
        accounts.load(VAULT, "default")
    assert (caught.value.message, caught.value.hint) == (
        f"KOSMO_VAULT_PASSWORD {problem}",
        "Copy it again, without quotes or line breaks.",
    )


class TestKeyring:
    """The system's keyring."""

    def test_secrets_are_kept_there_and_the_rest_in_the_file(
        self, home: Path, send: Callable[..., Any], memory: _Memory, kosmo_emulator: Emulator
    ) -> None:
        """The card: the file holds no secret then."""
        settings = {"write_key": CANARY, "tracking_url": kosmo_emulator.url}
        Configurator(Config(str(home))).set_account(segment, "default", settings, keyring=True)
        assert memory.kept == {("kosmo", "segment.default.write_key"): CANARY}
        assert CANARY not in (home / "credentials.toml").read_text()
        assert send().success
        assert keys(kosmo_emulator) == [CANARY]

    def test_locked_keyring_is_one_sentence(
        self, home: Path, send: Callable[..., Any], memory: _Memory
    ) -> None:
        """The card: a locked keyring: right code, nothing sent, nothing shown."""
        store(home, "[segment.default]\nwrite_key = 'keyring:'")
        memory.locked = True
        code, message = failure(send())
        assert code == "config_error"
        assert message.endswith(
            "the keyring cannot be used for the write_key of the account default of segment: RuntimeError"
        )

    def test_missing_value_says_how_to_store_it(
        self, home: Path, send: Callable[..., Any], memory: _Memory
    ) -> None:
        """Ours: another machine has the file and not the keyring."""
        assert memory.kept == {}
        store(home, "[segment.default]\nwrite_key = 'keyring:'")
        assert "the keyring has no write_key" in failure(send())[1]

    @pytest.mark.parametrize("between", ["", " ", "segment/"])
    def test_text_after_keyring_is_a_mistake_and_no_key(
        self, home: Path, send: Callable[..., Any], between: str
    ) -> None:
        """Ours: it was sent as a key, and Segment takes any."""
        store(home, f"[segment.default]\nwrite_key = 'keyring:{between}{CANARY}'")
        result = send()
        code, message = failure(result)
        sentence = "the write_key of the account default of segment has text after keyring:"
        assert (code, message) == ("config_error", f"eval:1: segment.track_event: {sentence}")
        hint = 'Write only "keyring:", and store the value itself with --keyring.'
        assert result.error_info.hint == hint

    def test_removed_account_leaves_nothing(self, home: Path, memory: _Memory) -> None:
        """Ours: neither in the file nor in the keyring."""
        configurator = Configurator(Config(str(home)))
        configurator.set_account(segment, "work", {"write_key": CANARY}, keyring=True)
        Configurator(Config(str(home))).remove_account(segment, "work")
        assert memory.kept == {}
        assert "work" not in (home / "credentials.toml").read_text()


class TestConfigurator:
    """What changes the files."""

    def test_file_is_for_the_users_eyes_only(self, home: Path) -> None:
        """The card: mode 0600, whatever the umask."""
        previous = os.umask(0)
        try:
            Configurator(Config(str(home / "new"))).set_account(
                segment, "default", {"write_key": CANARY}
            )
        finally:
            os.umask(previous)
        assert (home / "new" / "credentials.toml").stat().st_mode & 0o777 == 0o600
        assert (home / "new").stat().st_mode & 0o777 == 0o700

    def test_comments_and_other_accounts_stay(self, home: Path) -> None:
        """Ours: the file is the user's own."""
        store(home, "# mine\n[segment.default]\nwrite_key = 'a' # old\n[other.x]\ny = 'z'\n")
        Configurator(Config(str(home))).set_account(segment, "work", {"write_key": "b"})
        text = (home / "credentials.toml").read_text()
        assert "# mine\n" in text
        assert "write_key = 'a' # old\n" in text
        assert "[other.x]\ny = 'z'\n" in text
        assert Config(str(home)).accounts("segment") == {
            "default": {"write_key": "a"},
            "work": {"write_key": "b"},
        }

    def test_unset_removes_one_setting(self, home: Path) -> None:
        """The card: --unset."""
        Configurator(Config(str(home))).set_account(
            segment, "default", {"write_key": "a", "region": "eu"}
        )
        Configurator(Config(str(home))).set_account(segment, "default", {}, unset=["region"])
        assert Config(str(home)).accounts("segment") == {"default": {"write_key": "a"}}

    @pytest.mark.parametrize(
        ("account", "settings", "code"),
        [
            ("track_event", {"write_key": "x"}, "config_error"),
            ("track", {"write_key": "x"}, "config_error"),
            ("", {"write_key": "x"}, "config_error"),
            ("a.b", {"write_key": "x"}, "config_error"),
            ("a@b", {"write_key": "x"}, "config_error"),
            ("a b", {"write_key": "x"}, "config_error"),
            ("default", {"writekey": "x"}, "config_error"),
            ("default", {"region": "mars"}, "config_error"),
            ("default", {"tracking_url": "http://example.com"}, "config_error"),
            ("default", {"write_key": "line\nbreak"}, "config_error"),
            ("default", {"write_key": "a b"}, "config_error"),
            ("default", {"write_key": "'a'"}, "config_error"),
            ("default", {"write_key": "keyring:a"}, "config_error"),
        ],
    )
    def test_what_cannot_work_is_refused_before_it_is_written(
        self, home: Path, account: str, settings: dict[str, str], code: str
    ) -> None:
        """The card: an account cannot shadow a function; a value is checked when it is set."""
        with pytest.raises(KosmoError) as caught:
            Configurator(Config(str(home))).set_account(segment, account, settings)
        assert caught.value.code == code
        assert not (home / "credentials.toml").exists()

    def test_twenty_processes_at_once_lose_nothing(self, home: Path) -> None:
        """The card: written atomically under a lock."""
        program = """if True:
            import sys
            from kosmo_lua.config import Config
            from kosmo_lua.configure import Configurator
            from kosmo_segment import segment
            configurator = Configurator(Config(sys.argv[1]))
            configurator.set_account(segment, f"account-{sys.argv[2]}", {"write_key": sys.argv[2]})
        """
        processes = [
            subprocess.Popen([sys.executable, "-c", program, str(home), str(number)])  # noqa: S603  # our own
            for number in range(20)
        ]
        assert [process.wait(60) for process in processes] == [0] * 20
        assert Config(str(home)).accounts("segment") == {
            f"account-{number}": {"write_key": str(number)} for number in range(20)
        }


def test_secrets_are_masked_for_github_before_they_are_used(
    home: Path,
    send: Callable[..., Any],
    kosmo_emulator: Emulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The card: `::add-mask::`, the one line that may hold a secret, on stderr."""
    store(
        home, f"[segment.default]\nwrite_key = '{CANARY}%x'\ntracking_url = '{kosmo_emulator.url}'"
    )
    assert send(GITHUB_ACTIONS="true").success
    assert capfd.readouterr().err == f"::add-mask::{CANARY}%25x\n"
