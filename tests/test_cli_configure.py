"""kosmo integrations:configure: what it writes, what it refuses, and that nothing is lost."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, Finished
from envelopes import assert_fits

from kosmo_lua.config import Config
from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]

CONFIGURE = "integrations:configure"
TRACK = 'app.integrations.segment.track({event = "E", userId = "u"})'


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own, to be made by the command."""
    home = tmp_path / "home"
    monkeypatch.setenv("KOSMO_HOME", str(home))
    return home


def configured(done: Finished) -> Any:
    """Return the envelope of a change that was made."""
    document = done.json()
    assert_fits(CONFIGURE, document)
    assert (done.status, document["success"]) == (0, True)
    return document


def refused(done: Finished) -> tuple[int, str]:
    """Return the exit status and the sentence of a change that was refused, in its own envelope."""
    document = done.json()
    assert_fits(CONFIGURE, document)
    assert (document["success"], done.stderr) == (False, "")
    return done.status, document["error"]


def files(home: Path) -> list[str]:
    """Return the configuration that there is."""
    return sorted(path.name for path in home.glob("*.toml"))


def test_answer_says_what_was_changed_and_how_things_are(kosmo: Kosmo, home: Path) -> None:
    """Upstream: the envelope of configure; no value is in it."""
    given = ["--account", "work", "--set", "region=eu", "--set", "tracking_url=https://a.example"]
    done = kosmo(CONFIGURE, "segment", *given, "--write", "deny", "--json")
    assert configured(done) == {
        "schema_version": 1,
        "success": True,
        "provider": "segment",
        "account": "work",
        "scope": "global",
        "path": str(home / "config.toml"),
        "credentials_set": ["region", "tracking_url"],
        "credentials_unset": [],
        "enabled": True,
        "permissions": {"read": "allow", "write": "deny"},
        "error": None,
        "error_info": None,
        "warnings": [],
    }
    assert Config(str(home)).accounts("segment") == {
        "work": {"region": "eu", "tracking_url": "https://a.example"}
    }


def test_for_people_it_is_two_or_three_lines(kosmo: Kosmo, home: Path) -> None:
    """Ours: the file, the settings, and what is decided."""
    done = kosmo(CONFIGURE, "segment", "--set", "region=eu")
    assert done.stdout.splitlines() == [
        f"segment: {home / 'credentials.toml'}",
        "  account default: region",
        "  enabled; read allow, write ask",
    ]


def test_stdin_says_the_same_as_options(kosmo: Kosmo, home: Path) -> None:
    """Upstream: account, scope, set or credentials, unset, enabled, permissions."""
    kosmo(CONFIGURE, "segment", "--account", "work", "--set", "region=eu")
    changes = {
        "account": "work",
        "scope": "global",
        "set": {"write_key": "key"},
        "credentials": {"api_token": "token"},
        "unset": ["region"],
        "enabled": False,
        "permissions": {"read": "ask", "write": "deny"},
    }
    done = kosmo(
        CONFIGURE, "segment", "--stdin-json", "--json", stdin=json.dumps(changes).encode()
    )
    document = configured(done)
    assert document["credentials_set"] == ["write_key", "api_token"]
    assert (document["credentials_unset"], document["warnings"]) == (["region"], [])
    assert (document["enabled"], document["permissions"]) == (
        False,
        {"read": "ask", "write": "deny"},
    )
    assert Config(str(home)).accounts("segment") == {
        "work": {"write_key": "key", "api_token": "token"}
    }


def test_permission_of_an_account_is_that_accounts_only(
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: to allow writes of staging does not allow those of production."""
    monkeypatch.delenv("KOSMO_SEGMENT_WRITE")
    kosmo(CONFIGURE, "segment", "--account", "staging", "--write", "allow")
    assert (home / "config.toml").read_text() == '[policy]\n"segment@staging.write" = "allow"\n'
    for account in ("STAGING", "PRODUCTION"):
        monkeypatch.setenv(f"KOSMO_SEGMENT__{account}__WRITE_KEY", account)
        monkeypatch.setenv(f"KOSMO_SEGMENT__{account}__TRACKING_URL", kosmo_emulator.url)
    statuses = [
        kosmo("integrations:lua", "--eval", TRACK.replace("t.track", f"t.{account}.track")).status
        for account in ("staging", "production")
    ]
    assert statuses == [0, 77]


def test_permission_of_a_misspelt_account_is_a_mistake(kosmo: Kosmo, home: Path) -> None:
    """Ours: it would deny nothing; a new account may have almost the name of another."""
    env = {"KOSMO_SEGMENT__PRODUCTION__WRITE_KEY": "key"}
    given = [CONFIGURE, "segment", "--account", "prodution", "--write", "deny", "--json"]
    sentence = (
        f"{home}/config.toml: the rule segment@prodution.write is about nothing:"
        " there is no account prodution of segment. Did you mean: production?"
    )
    assert refused(kosmo(*given, env=env)) == (78, sentence)
    assert files(home) == []
    configured(kosmo(*given, "--set", "region=eu", env=env))
    configured(kosmo(*given, env=env))
    assert (home / "config.toml").read_text() == '[policy]\n"segment@prodution.write" = "deny"\n'


def test_permission_is_written_under_the_name_of_the_account(kosmo: Kosmo, home: Path) -> None:
    """Ours: by two spellings of one account there would be two rules."""
    env = {"KOSMO_SEGMENT__EU_PROD__WRITE_KEY": "key"}
    for account, decision in (("eu-prod", "deny"), ("EU_PROD", "allow")):
        given = [CONFIGURE, "segment", "--account", account, "--write", decision, "--json"]
        document = configured(kosmo(*given, env=env))
        assert (document["account"], document["permissions"]["write"]) == ("eu_prod", decision)
    assert (home / "config.toml").read_text() == '[policy]\n"segment@eu_prod.write" = "allow"\n'


def test_permissions_may_be_one_option(kosmo: Kosmo, home: Path) -> None:
    """Upstream: `--permissions read:allow,write:ask`."""
    done = kosmo(CONFIGURE, "segment", "--permissions", "read:ask, write:deny", "--json")
    assert configured(done)["permissions"] == {"read": "ask", "write": "deny"}
    assert files(home) == ["config.toml"]


@pytest.mark.parametrize(
    "given",
    [
        ["--permissions", "read"],
        ["--permissions", "read:maybe"],
        ["--permissions", "delete:deny"],
        ["--permissions", "read:ask,read:deny"],
        ["--permissions", ""],
        ["--permissions", "write:deny", "--write", "allow"],
    ],
)
def test_permissions_that_make_no_sense_change_nothing(
    kosmo: Kosmo, home: Path, given: list[str]
) -> None:
    """Ours: what is no decision, or two of them, is a mistake."""
    status, sentence = refused(kosmo(CONFIGURE, "segment", *given, "--json"))
    assert (status, files(home)) == (2, [])
    assert "read" in sentence or "write" in sentence


def test_disabled_integration_is_not_called(
    kosmo: Kosmo, home: Path, kosmo_emulator: Emulator
) -> None:
    """Upstream: --disable and --enable; the hint is the command that enables it."""
    del home
    kosmo(CONFIGURE, "segment", "--disable")
    done = kosmo("integrations:lua", "--eval", TRACK, "--force", "--json")
    assert done.json()["error_info"]["code"] == "denied"
    assert (
        done.json()["error_info"]["hint"] == "Run: kosmo integrations:configure segment --enable"
    )
    kosmo(CONFIGURE, "segment", "--enable")
    assert kosmo("integrations:lua", "--eval", TRACK, "--force").status == 0
    assert len(kosmo_emulator.events()) == 1


class TestProject:
    """--project."""

    def test_w13_project_really_writes_the_projects_file(
        self, kosmo: Kosmo, home: Path, tmp_path: Path
    ) -> None:
        """W13: it wrote the user's file, and reported `scope: project`."""
        document = configured(
            kosmo(CONFIGURE, "segment", "--write", "deny", "--project", "--json")
        )
        assert (document["scope"], document["path"]) == ("project", str(tmp_path / "kosmo.toml"))
        assert (tmp_path / "kosmo.toml").read_text() == '[policy]\n"segment.write" = "deny"\n'
        assert files(home) == []
        assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "kosmo.toml"]

    def test_w13_file_of_the_project_above_is_the_one(
        self, kosmo: Kosmo, home: Path, tmp_path: Path
    ) -> None:
        """W13: from a folder inside the project, too; comments and the file's mode stay."""
        project = tmp_path.parent / "kosmo.toml"
        project.write_text("# ours\nallow_force = false\n")
        project.chmod(0o664)
        document = configured(kosmo(CONFIGURE, "segment", "--read", "ask", "--project", "--json"))
        assert document["path"] == str(project)
        text = project.read_text()
        project_mode = project.stat().st_mode & 0o777
        project.unlink()
        assert text == '# ours\nallow_force = false\n\n[policy]\n"segment.read" = "ask"\n'
        assert (project_mode, files(home)) == (0o664, [])

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--write", "allow"], "a project's file only tightens: ask or deny"),
            (["--set", "region=eu"], "a project's file sets permission only"),
            (["--disable"], "a project's file sets permission only"),
        ],
    )
    def test_it_grants_and_redirects_nothing(
        self, kosmo: Kosmo, home: Path, tmp_path: Path, options: list[str], sentence: str
    ) -> None:
        """The card: a project may only tighten, also when the user asks for more."""
        status, error = refused(kosmo(CONFIGURE, "segment", "--project", *options, "--json"))
        assert (status, error.startswith(sentence)) == (2, True)
        assert (files(home), (tmp_path / "kosmo.toml").exists()) == ([], False)

    def test_link_is_not_followed(self, kosmo: Kosmo, home: Path, tmp_path: Path) -> None:
        """Ours, as an attacker: a clone brings a link to a file of the user."""
        home.mkdir()
        (home / "config.toml").write_text('[policy]\n"segment.write" = "deny"\n')
        (tmp_path / "kosmo.toml").symlink_to(home / "config.toml")
        done = kosmo(CONFIGURE, "segment", "--write", "ask", "--project", "--json")
        assert refused(done) == (78, f"cannot change {tmp_path}/kosmo.toml: it is a link")
        assert "deny" in (home / "config.toml").read_text()


def test_w14_secret_on_the_command_line_is_a_warning(kosmo: Kosmo, home: Path) -> None:
    """W14: it was taken silently. It is stored all the same, and from stdin there is no warning."""
    done = kosmo(CONFIGURE, "posthog", "--set", "personal_api_key=phx_key", "--json")
    (warning,) = configured(done)["warnings"]
    assert warning.startswith("personal_api_key was given on the command line, where other users")
    assert "phx_key" not in done.stdout
    assert Config(str(home)).accounts("posthog") == {"default": {"api_token": "phx_key"}}
    both = kosmo(
        CONFIGURE, "segment", "--set", "write_key=key", "--stdin-json", stdin=b'{"enabled": true}'
    )
    assert both.stderr.startswith("warning: write_key was given on the command line")
    stdin = b'{"set": {"write_key": "key"}}'
    assert kosmo(CONFIGURE, "segment", "--stdin-json", stdin=stdin).stderr == ""


@pytest.mark.parametrize(
    ("options", "stdin", "status", "sentence"),
    [
        ([], "", 2, "there is nothing to change"),
        (["--set", "region"], "", 2, "--set takes name=value"),
        (["--set", "region=eu", "--set", "region=us"], "", 2, "--set region was given twice"),
        (["--write", "ask", "--write", "deny"], "", 2, "--write is given twice"),
        (["--enable", "--disable"], "", 2, "--enable / --disable is given twice"),
        (["--write", "maybe"], "", 2, "Invalid value for '--write'"),
        (["--sett", "region=eu"], "", 2, "No such option '--sett'. (Did you mean one of: '--set'"),
        (["write_key=secret"], "", 2, "too many words: it takes PROVIDER"),
        (
            ["--set", "regoin=eu"],
            "",
            78,
            "regoin is not a setting of Segment: did you mean region?",
        ),
        (["--set", "region="], "", 78, "region is empty"),
        (["--set", "region=mars"], "", 78, "region "),
        (["--set", "write_key=keyring:"], "", 78, "write_key has no value"),
        (["--set", "write_key=cmd:"], "", 78, "the command for the write_key cannot be run"),
        (["--set", "tracking_url=http://a.example"], "", 78, "tracking_url "),
        (["--account", "track", "--set", "region=eu"], "", 78, "the account track would have the"),
        (["--account", "DEFAULT", "--set", "region=eu"], "", 78, "the account DEFAULT would have"),
        (["--account", "a b", "--set", "region=eu"], "", 78, "'a b' cannot be the name"),
        (["--account", "", "--set", "region=eu"], "", 78, "'' cannot be the name"),
        (
            ["--account", "", "--write", "allow"],
            "",
            78,
            "HOME/config.toml: 'segment@.write' is no rule",
        ),
        (
            ["--account", "work", "--unset", "region"],
            "",
            78,
            "no account work of Segment is stored",
        ),
        (["--stdin-json"], "", 2, "stdin is empty: give the changes there, as a JSON object"),
        (["--stdin-json"], "{", 2, "stdin is not valid JSON: line 1, column 2"),
        (["--stdin-json"], "[]", 2, "stdin must be a JSON object"),
        (["--stdin-json"], '{"a":' * 100_000, 2, "stdin is JSON that nobody means"),
        (["--stdin-json"], '{"enabled": 1}', 2, "stdin: enabled should be"),
        (["--stdin-json"], '{"enabld": true}', 2, "stdin: unknown key: did you mean enabled?"),
        (["--stdin-json"], '{"4f1d-secret": true}', 2, "stdin: unknown key: use account, scope"),
        (
            ["--stdin-json"],
            '{"set": {"secret": "region"}}',
            78,
            "a name on stdin is not a setting of Segment: use write_key, api_token, region",
        ),
        (["--stdin-json"], '{"scope": "projct"}', 2, "stdin: scope should be"),
        (["--stdin-json"], '{"set": {"region": 1}}', 2, "stdin: a value of set should be"),
        (
            ["--stdin-json"],
            '{"enabled": true, "enabled": false}',
            2,
            "stdin: a name was given twice",
        ),
        (
            ["--set", "region=us", "--stdin-json"],
            '{"set": {"region": "eu"}}',
            2,
            "set is given as an option and on stdin",
        ),
    ],
)
def test_mistake_is_one_sentence_and_changes_nothing(  # noqa: PLR0917  # the case
    kosmo: Kosmo, home: Path, options: list[str], stdin: str, status: int, sentence: str
) -> None:
    """The card: bad input of every kind; a value that may be a secret is not repeated."""
    done = kosmo(CONFIGURE, "segment", *options, "--json", stdin=stdin.encode())
    assert refused(done)[0] == status
    assert refused(done)[1].startswith(sentence.replace("HOME", str(home)))
    assert "secret" not in done.stdout
    assert files(home) == []


def test_closed_stdin_is_said(kosmo: Kosmo, home: Path) -> None:
    """The card: stdin that is closed."""
    del kosmo
    done = subprocess.run(  # noqa: S603  # our own command
        ["sh", "-c", '"$@" <&-', "sh", *COMMAND, CONFIGURE, "segment", "--stdin-json"],  # noqa: S607  # the system's
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, files(home)) == (2, "", [])
    assert done.stderr.startswith("error: stdin is closed: ")


def test_broken_file_stops_every_part_of_the_change(kosmo: Kosmo, home: Path) -> None:
    """Ours: no half of a change is made, and the broken file stays for its author to mend."""
    home.mkdir()
    (home / "config.toml").write_text("[policy\n")
    done = kosmo(CONFIGURE, "segment", "--set", "region=eu", "--write", "deny", "--json")
    status, error = refused(done)
    assert (status, files(home)) == (78, ["config.toml"])
    assert error.startswith(f"{home}/config.toml is not valid TOML: ")
    assert "line 1" in error


def test_twenty_at_once_lose_nothing(home: Path) -> None:
    """The card: 20 processes of the command at the same time."""
    processes = [
        subprocess.Popen(  # noqa: S603  # our own command
            [*COMMAND, CONFIGURE, "segment", "--account", f"a{n}", "--set", f"write_key=k{n}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ},
        )
        for n in range(20)
    ]
    assert [process.wait(120) for process in processes] == [0] * 20
    assert Config(str(home)).accounts("segment") == {
        f"a{n}": {"write_key": f"k{n}"} for n in range(20)
    }
    assert sorted(path.name for path in home.iterdir()) == [".lock", "credentials.toml"]


@pytest.mark.parametrize(
    "text",
    [
        'segment = {default = {write_key = "a"}}\n',
        'segment.default.write_key = "a" # mine\n',
        '[segment.default]\nwrite_key = "a"\n[posthog.x]\nproject_id = "1"\n[segment.b]\nregion = "eu"\n',
        '[segment]\ndefault.write_key = "a"\nb.region = "eu"\n',
        '"segment"."default".write_key = "a"\r\n# mine\r\n',
        '\ufeff[segment.default]\nwrite_key = "a"\n',
        '[segment.default]\nwrite_key = """a"""\n[segment]\n',
    ],
)
def test_file_may_be_written_as_its_author_likes(kosmo: Kosmo, home: Path, text: str) -> None:
    """Ours: TOML has many ways to write a table; what was there is there afterwards."""
    home.mkdir()
    (home / "credentials.toml").write_bytes(text.encode())
    (home / "credentials.toml").chmod(0o600)
    before = {name: Config(str(home)).accounts(name) for name in ("segment", "posthog")}
    kosmo(CONFIGURE, "segment", "--account", "new", "--set", "region=eu")
    assert {name: Config(str(home)).accounts(name) for name in ("segment", "posthog")} == {
        "segment": {**before["segment"], "new": {"region": "eu"}},
        "posthog": before["posthog"],
    }
    assert ("# mine" in (home / "credentials.toml").read_text()) == ("# mine" in text)
