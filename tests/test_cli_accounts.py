"""kosmo accounts:list, show, add, remove, and config:explain: what they show, and what they never do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished
from envelopes import assert_fits
from pseudo_terminal import Terminal

from kosmo_lua.config import Config

Kosmo = Callable[..., Finished]

STORED = """\
[segment.default]
write_key = "short"
region = "eu"
[segment.work]
api_token = "cmd:vault read a-very-long-path/for/one/token"
"""


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


@pytest.fixture
def stored(home: Path) -> Path:
    """The user's credentials.toml, with two accounts."""
    file = home / "credentials.toml"
    file.write_text(STORED)
    file.chmod(0o600)
    return file


def answer(done: Finished, command: str) -> Any:
    """Return the envelope of a success, without the fields that every envelope has."""
    document = done.json()
    assert_fits(command, document)
    assert (done.status, done.stderr, document["error"]) == (0, "", None)
    common = ("schema_version", "success", "error", "error_info")
    return {name: value for name, value in document.items() if name not in common}


def failure(done: Finished, command: str) -> tuple[int, str]:
    """Return the exit status and the sentence of a failure."""
    document = done.json()
    assert_fits(command, document)
    assert (done.stderr, document["success"]) == ("", False)
    return done.status, document["error"]


def answered(terminal: Terminal, *answers: tuple[str, str]) -> str:
    """Answer one prompt after another, and return what the terminal has shown."""
    shown = ""
    for name, typed in answers:
        shown += terminal.wait_for(f"  {name}: ")
        terminal.type(f"{typed}\n")
    return shown


class TestList:
    """accounts:list."""

    def test_every_account_with_the_names_of_its_settings(
        self, kosmo: Kosmo, stored: Path
    ) -> None:
        """The card: stored ones and those of the environment."""
        del stored
        env = {"KOSMO_POSTHOG__EU__API_TOKEN": "phx_a"}
        assert answer(kosmo("accounts:list", "--json", env=env), "accounts:list") == {
            "accounts": [
                _entry("posthog", "eu", "api_token", stored=False),
                _entry("segment", "default", "write_key", "region"),
                _entry("segment", "work", "api_token"),
            ],
            "warnings": [],
        }
        text = kosmo("accounts:list", "segment").stdout
        assert [line.split() for line in text.splitlines()] == [
            ["Provider", "Account", "Settings"],
            ["segment", "default", "write_key,", "region"],
            ["segment", "work", "api_token"],
        ]

    def test_nothing_is_an_answer(self, kosmo: Kosmo) -> None:
        """Ours: for a newcomer."""
        assert kosmo("accounts:list") == Finished(0, "There are no accounts.\n", "")

    def test_stored_and_unusable_is_a_warning(self, kosmo: Kosmo, stored: Path) -> None:
        """Ours: a misspelt integration would be looked for in vain."""
        accounts = ("segmnt.default", "segment.track", "segment.eu-prod", "segment.EU_PROD")
        stored.write_text("".join(f"[{account}]\nwrite_key = 'a'\n" for account in accounts))
        assert kosmo("accounts:list").stderr.splitlines() == [
            f"warning: {stored}: segmnt is not installed: did you mean segment?",
            f"warning: {stored}: the account track has the name of a function of segment",
            f"warning: {stored}: the accounts EU_PROD and eu-prod of Segment have the same variables",
        ]


def _entry(provider: str, account: str, *settings: str, stored: bool = True) -> dict[str, Any]:
    return {
        "provider": provider,
        "account": account,
        "stored": stored,
        "settings": [*settings],
    }


class TestShow:
    """accounts:show."""

    def test_w14_masks_have_a_fixed_length(self, kosmo: Kosmo, stored: Path) -> None:
        """W14: masks showed 12 characters of a key; each setting says where it comes from."""
        env = {"KOSMO_SEGMENT__WORK__WRITE_KEY": "x" * 64}
        settings = [
            answer(kosmo("accounts:show", "segment", name, "--json", env=env), "accounts:show")[
                "settings"
            ]
            for name in ("default", "work")
        ]
        assert settings == [
            [
                _setting("write_key", "********", f"segment.default.write_key in {stored}"),
                _setting("region", "eu", f"segment.default.region in {stored}"),
            ],
            [
                _setting("write_key", "********", "KOSMO_SEGMENT__WORK__WRITE_KEY"),
                _setting("api_token", "********", f"segment.work.api_token in {stored}"),
            ],
        ]
        assert "********" in kosmo("accounts:show", "segment").stdout

    def test_unknown_account_is_told_with_the_right_one(self, kosmo: Kosmo, stored: Path) -> None:
        """Ours: one sentence."""
        del stored
        status, error = failure(
            kosmo("accounts:show", "segment", "wrok", "--json"), "accounts:show"
        )
        assert (status, error) == (78, "unknown account wrok of Segment. Did you mean: work?")


def _setting(setting: str, value: str, source: str) -> dict[str, str]:
    return {"setting": setting, "value": value, "source": source}


class TestAdd:
    """accounts:add."""

    @pytest.mark.parametrize(
        "stdin", ['{"write_key": "a", "region": "eu"}', "write_key=a\n\n region = eu \n"]
    )
    def test_stdin_is_json_or_lines(self, kosmo: Kosmo, home: Path, stdin: str) -> None:
        """The card: secrets come by stdin, and without a warning."""
        done = kosmo("accounts:add", "segment", "work", "--json", stdin=stdin.encode())
        assert answer(done, "accounts:add") == {
            "provider": "segment",
            "account": "work",
            "settings": ["write_key", "region"],
            "warnings": [],
        }
        assert Config(str(home)).accounts("segment") == {
            "work": {"write_key": "a", "region": "eu"}
        }
        assert (home / "credentials.toml").stat().st_mode & 0o777 == 0o600

    def test_options_and_stdin_together(self, kosmo: Kosmo, home: Path) -> None:
        """Ours: what is no secret as an option, the secret by stdin; none of the two is lost."""
        kosmo("accounts:add", "segment", "--set", "region=eu", stdin=b"write_key=a")
        assert Config(str(home)).accounts("segment") == {
            "default": {"region": "eu", "write_key": "a"}
        }
        done = kosmo("accounts:add", "segment", "--set", "region=eu", "--json", stdin=b"region=us")
        assert failure(done, "accounts:add") == (2, "region is given with --set and on stdin")

    def test_w14_secret_on_the_command_line_is_a_warning(self, kosmo: Kosmo, home: Path) -> None:
        """W14: it was taken silently. A command that prints it is no secret."""
        done = kosmo("accounts:add", "segment", "--set", "write_key=a")
        assert (done.status, done.stdout) == (0, "Stored write_key of segment default.\n")
        assert done.stderr.startswith("warning: write_key was given on the command line")
        assert kosmo("accounts:add", "segment", "b", "--set", "write_key=cmd:echo x").stderr == ""
        assert [*Config(str(home)).accounts("segment")] == ["default", "b"]

    @pytest.mark.parametrize(
        ("options", "stdin", "sentence"),
        [
            ([], "", "stdin is empty: give the settings there"),
            ([], "secret", "stdin takes name=value"),
            (["work", "secret"], "", "too many words: it takes PROVIDER and ACCOUNT"),
            ([], '{"write_key": 1}', "stdin: every setting must be a text"),
            ([], "write_key=a\nwrite_key=b", "stdin: a name was given twice"),
            ([], '{"write_key": "a", "write_key": "b"}', "stdin: a name was given twice"),
        ],
    )
    def test_mistake_is_one_sentence_and_stores_nothing(
        self, kosmo: Kosmo, home: Path, options: list[str], stdin: str, sentence: str
    ) -> None:
        """The card: what was given is not repeated; it may be a secret."""
        done = kosmo("accounts:add", "segment", *options, "--json", stdin=stdin.encode())
        status, error = failure(done, "accounts:add")
        assert (status, error.startswith(sentence)) == (2, True)
        assert "secret" not in done.stdout
        assert [*home.iterdir()] == []

    @pytest.mark.parametrize(
        "stdin",
        [
            "c2Vrcml0S2V5==",
            "write_key=a\nc2Vrcml0S2V5==\nc2Vrcml0S2V5==",
            '{"c2Vrcml0S2V5": "write_key"}',
            '{"c2Vrcml0S2V5": 1, "c2Vrcml0S2V5": 1}',
            "regoin=c2Vrcml0S2V5",
        ],
    )
    def test_nothing_that_stdin_held_is_shown(self, kosmo: Kosmo, home: Path, stdin: str) -> None:
        """Ours: a key alone, in Base64, looks like a name and a value."""
        done = kosmo("accounts:add", "segment", "x", stdin=stdin.encode())
        assert (done.status != 0, done.stdout) == (True, "")
        assert "c2Vrcml0S2V5" not in done.stderr
        assert done.stderr.startswith(
            "error: a name on stdin is not a setting of Segment: "
        ) or done.stderr.startswith("error: stdin: a name was given twice")
        assert ("did you mean region?" in done.stderr) == stdin.startswith("regoin")
        assert [*home.iterdir()] == []

    def test_account_without_a_secret_needs_one(self, kosmo: Kosmo, home: Path) -> None:
        """Ours: the tool that prints the secret has failed. What has one already may be changed."""
        add = ["accounts:add", "segment", "work", "--set", "region=eu", "--json"]
        sentence = "stdin is empty: give the secrets there, as JSON or as lines name=value"
        assert failure(kosmo(*add), "accounts:add") == (2, sentence)
        assert [*home.iterdir()] == []
        done = kosmo(*add, env={"KOSMO_SEGMENT__WORK__API_TOKEN": "a-token"})
        assert answer(done, "accounts:add")["warnings"] == []
        kosmo("accounts:add", "segment", "work", stdin=b"write_key=a")
        assert answer(kosmo(*add), "accounts:add")["settings"] == ["region"]

    def test_account_that_gets_no_secret_is_a_warning(self, kosmo: Kosmo, home: Path) -> None:
        """Ours: where stdin has something else, that is stored."""
        done = kosmo("accounts:add", "segment", "work", "--json", stdin=b"region=eu")
        warning = "the account work of Segment has no write_key and no api_token"
        assert answer(done, "accounts:add")["warnings"] == [warning]
        assert Config(str(home)).accounts("segment") == {"work": {"region": "eu"}}

    @pytest.mark.parametrize("account", ["default", "work"])
    def test_hint_for_an_empty_value_is_a_command_that_there_is(
        self, kosmo: Kosmo, home: Path, account: str
    ) -> None:
        """Ours: accounts:add has no --unset."""
        kosmo("accounts:add", "segment", account, stdin=b"write_key=a\nregion=eu")
        done = kosmo("accounts:add", "segment", account, "--json", stdin=b"region=")
        assert done.json()["error"] == "region is empty"
        words = (
            done.json()["error_info"]["hint"]
            .removeprefix("To forget one that is stored: kosmo ")
            .split()
        )
        assert kosmo(*words).status == 0
        assert Config(str(home)).accounts("segment") == {account: {"write_key": "a"}}

    def test_what_cannot_be_right_is_asked_for_again_at_once(
        self, terminal: Terminal, home: Path
    ) -> None:
        """Ours: and not after all questions."""
        command = terminal.run("segment", command="accounts:add")
        shown = answered(
            terminal,
            ("write_key", "'a-hidden-key'"),
            ("write_key", "a-hidden-key"),
            ("api_token", "cmd:"),
            ("api_token", ""),
            ("region", "mars"),
            ("region", "eu"),
            ("tracking_url", ""),
            ("api_url", ""),
        )
        assert command.wait(20) == 0
        assert "a-hidden-key" not in shown
        for sentence in (
            "  write_key is in quotes",
            "  the command for the api_token cannot be run: it is not a command",
            "  region should be 'us' or 'eu'",
        ):
            assert sentence in shown
        assert Config(str(home)).accounts("segment") == {
            "default": {"write_key": "a-hidden-key", "region": "eu"}
        }

    def test_somebody_at_a_terminal_is_asked_and_secrets_are_not_shown(
        self, terminal: Terminal, home: Path
    ) -> None:
        """The card: prompts without echo; Enter leaves a setting out."""
        command = terminal.run("segment", "work", command="accounts:add")
        shown = answered(
            terminal,
            ("write_key", "a-hidden-key"),
            ("api_token", ""),
            ("region", "eu"),
            ("tracking_url", ""),
            ("api_url", ""),
        )
        assert command.wait(20) == 0
        assert command.stdout is not None
        assert command.stdout.read() == b"Stored write_key, region of segment work.\n"
        assert ("a-hidden-key" in shown, "eu" in shown) == (False, True)
        assert Config(str(home)).accounts("segment") == {
            "work": {"write_key": "a-hidden-key", "region": "eu"}
        }

    def test_only_the_secrets_are_asked_for_beside_options(
        self, terminal: Terminal, home: Path
    ) -> None:
        """Ours: `--set region=eu` does not store an account without a key."""
        command = terminal.run("segment", "--set", "region=eu", command="accounts:add")
        for name, typed in (("write_key", "key"), ("api_token", "")):
            terminal.wait_for(f"  {name}: ")
            terminal.type(f"{typed}\n")
        assert command.wait(20) == 0
        assert Config(str(home)).accounts("segment") == {
            "default": {"region": "eu", "write_key": "key"}
        }

    def test_ctrl_c_at_the_prompt_stores_nothing(self, terminal: Terminal, home: Path) -> None:
        """Ours: 130, as anywhere."""
        command = terminal.run("segment", command="accounts:add")
        terminal.wait_for("  write_key: ")
        terminal.type("half\x03")
        assert command.wait(20) == 130
        assert [*home.iterdir()] == []


class TestRemove:
    """accounts:remove."""

    def test_account_is_gone_and_the_others_stay(self, kosmo: Kosmo, stored: Path) -> None:
        """The card."""
        done = kosmo("accounts:remove", "segment", "work", "--json")
        assert answer(done, "accounts:remove") == {
            "provider": "segment",
            "account": "work",
            "settings": ["api_token"],
            "warnings": [],
        }
        assert stored.read_text() == STORED.partition("[segment.work]")[0]

    def test_account_that_is_not_stored_is_told(self, kosmo: Kosmo, stored: Path) -> None:
        """Ours: one of the environment cannot be removed here."""
        env = {"KOSMO_SEGMENT__EU__WRITE_KEY": "a"}
        done = kosmo("accounts:remove", "segment", "eu", "--json", env=env)
        sentence = "no account eu of Segment is stored. Stored: default, work."
        assert failure(done, "accounts:remove") == (78, sentence)
        assert stored.read_text() == STORED


class TestExplain:
    """config:explain."""

    def test_every_source_and_the_one_that_counts(self, kosmo: Kosmo, stored: Path) -> None:
        """The card: which source won."""
        env = {"SEGMENT_WRITE_KEY": "vendor", "KOSMO_SEGMENT_WRITE_KEY": "own"}
        done = kosmo("config:explain", "segment.write_key", "--json", env=env)
        assert answer(done, "config:explain") == {
            "key": "segment.write_key",
            "value": "********",
            "source": "KOSMO_SEGMENT_WRITE_KEY",
            "candidates": [
                _candidate("KOSMO_SEGMENT_WRITE_KEY", "********", wins=True),
                _candidate("SEGMENT_WRITE_KEY", "********"),
                _candidate(f"segment.default.write_key in {stored}", "********"),
            ],
            "warnings": [],
        }
        text = kosmo("config:explain", "segment.region").stdout
        assert text.splitlines() == [
            f"->  eu  segment.default.region in {stored}",
            "    us  default",
        ]

    @pytest.mark.parametrize(
        ("key", "value", "source"),
        [
            ("policy.write", "ask", "default"),
            ("policy.segment.write", "deny", "segment.write in {}/kosmo.toml"),
            ("policy.segment.track", "deny", "segment.write in {}/kosmo.toml"),
            ("policy.segment@work.group", "deny", "segment.write in {}/kosmo.toml"),
            ("policy.segment.list_sources", "allow", "default"),
            ("limits.cpu", "5", "{}/kosmo.toml"),
            ("limits.wall", "60", "{}/home/config.toml"),
            ("limits.calls", "100000", "default"),
            ("allow_force", "false", "{}/kosmo.toml"),
            ("integrations.segment.enabled", "true", "default"),
            ("segment.work.region", "us", "default"),
            ("segment.nobody.write_key", None, None),
        ],
    )
    def test_keys_of_every_kind(  # noqa: PLR0917  # the case
        self,
        kosmo: Kosmo,
        home: Path,
        tmp_path: Path,
        key: str,
        value: str | None,
        source: str | None,
    ) -> None:
        """The card: the project's file counts where it is stricter."""
        (home / "config.toml").write_text(
            '[policy]\n"segment.track_event" = "allow"\n"segment@work.*" = "ask"\n'
            "[limits]\ncpu = 5\nwall = 60\n"
        )
        (tmp_path / "kosmo.toml").write_text(
            'allow_force = false\n[policy]\n"segment.write" = "deny"\n[limits]\ncpu = 5\nwall = 600\n'
        )
        document = answer(kosmo("config:explain", key, "--json"), "config:explain")
        where = source.format(tmp_path) if source else None
        assert (document["value"], document["source"]) == (value, where)
        assert sum(each["wins"] for each in document["candidates"]) == (1 if source else 0)

    @pytest.mark.parametrize(
        ("key", "status", "sentence"),
        [
            ("nonsense", 2, "there is no key nonsense"),
            ("limits.cpuu", 2, "there is no key limits.cpuu"),
            (
                "segment.writekey",
                78,
                "writekey is not a setting of Segment: did you mean write_key?",
            ),
            ("policy.segment.trak", 65, "unknown function app.integrations.segment.trak."),
            ("policy.segmnt.write", 65, "unknown integration segmnt. Did you mean: segment?"),
        ],
    )
    def test_unknown_key_is_told(self, kosmo: Kosmo, key: str, status: int, sentence: str) -> None:
        """Ours: with the right one."""
        found = failure(kosmo("config:explain", key, "--json"), "config:explain")
        assert (found[0], found[1].startswith(sentence)) == (status, True)


def _candidate(source: str, value: str, *, wins: bool = False) -> dict[str, Any]:
    return {"source": source, "value": value, "wins": wins}


def test_audit_shows_the_newest_calls_of_a_run_or_a_function(kosmo: Kosmo, home: Path) -> None:
    """The card: `kosmo audit [--json]`."""
    calls = [
        {"time": f"T{n}", "user": "u", "run_id": f"r{n % 2}", "function": "segment.group"}
        for n in range(60)
    ]
    (home / "audit.jsonl").write_text("\n".join(map(json.dumps, calls)))
    document = answer(kosmo("audit", "--json"), "audit")
    assert (document["path"], document["calls"]) == (str(home / "audit.jsonl"), calls[10:])
    document = answer(kosmo("audit", "--run", "r1", "--limit", "2", "--json"), "audit")
    assert document["calls"] == [calls[57], calls[59]]
    assert kosmo("audit", "--function", "segment.track").stdout == "Nothing was called.\n"
    by_alias = kosmo("audit", "--function", "segment_group", "--limit", "1")
    assert by_alias == kosmo("audit", "--limit", "1")
    assert by_alias.stdout.splitlines()[1].split()[:3] == ["T59", "u", "r1"]


def _log(home: Path, *functions: str) -> None:
    """Write an audit log with a call of each of these functions."""
    calls = [{"time": "T", "run_id": "r", "function": function} for function in functions]
    (home / "audit.jsonl").write_text("\n".join(map(json.dumps, calls)))


NO_SUCH = "no call of {} is in the log, and nothing of that name is installed"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("segment.trak", ". Did you mean: segment.track, segment.track_event, "),
        ("segmnt.group", ". Did you mean: segment.group, "),
        ("track", ". Did you mean: segment.track, segment.track_event?"),
        ("gone.ad", ". Did you mean: gone.add?"),
        ("nope", ""),
    ],
)
def test_audit_of_a_function_that_never_was_is_a_warning(
    kosmo: Kosmo, home: Path, name: str, suggestion: str
) -> None:
    """Ours: of a misspelt name an empty list would look like a clean record."""
    _log(home, "segment.group", "gone.add")
    document = answer(kosmo("audit", "--function", name, "--json"), "audit")
    (warning,) = document["warnings"]
    assert warning.startswith(NO_SUCH.format(name) + suggestion)
    done = kosmo("audit", "--function", name)
    assert (done.status, done.stdout) == (0, "Nothing was called.\n")
    assert done.stderr == f"warning: {warning}\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--function", "gone.add"],
        ["--function", "gone.add", "--run", "another"],
        ["--function", "segment.track"],
        ["--function", "segment.batch"],
        ["--run", "another"],
        [],
    ],
)
def test_audit_of_what_is_installed_or_was_called_has_no_warning(
    kosmo: Kosmo, home: Path, options: list[str]
) -> None:
    """Ours: the log may hold functions that are gone; `segment.batch` is a request of a batch."""
    _log(home, "gone.add")
    assert kosmo("audit", *options).stderr == ""


def test_audit_of_an_iterator_has_its_pages(kosmo: Kosmo, home: Path) -> None:
    """Ours: they are logged as calls of the function that lists one page."""
    _log(home, "posthog.posthog_list_persons", "segment.group")
    document = answer(kosmo("audit", "--function", "posthog.each_person", "--json"), "audit")
    assert [call["function"] for call in document["calls"]] == ["posthog.posthog_list_persons"]
