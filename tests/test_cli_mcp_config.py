"""The commands that change which MCP servers there are: what they write, and what they refuse."""

import io
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Finished
from envelopes import assert_fits
from pseudo_terminal import Terminal

from kosmo_lua.cli import cli
from kosmo_lua.config import Config
from kosmo_lua.errors import CODES, KosmoError

pytestmark = pytest.mark.usefixtures("home")

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

Refusal = Callable[..., tuple[int, str]]

GITHUB = ("github", "--env", "GITHUB_TOKEN", "--", "npx", "-y", "server-github")
OPEN = {"read": "allow", "write": "ask"}

WRITTEN = {
    "header": (["--header", "Authorization: Bearer {}"], ["--header", "Authorization: {}"]),
    "header in one word": (["--header=X-Api-Key:{}"], ["--header=X-Api-Key:{}"]),
    "header in two words": (["-H", "X-Api-Key", "{}", "b"], ["-H", "X-Api-Key", "{}", "b"]),
    "user": (["https://u:{}@h.example/x"], ["https://{}@h.example/x"]),
    "user alone": (["git+https://{}@h.example"], ["git+https://{}@h.example"]),
    "database": (["-d", "postgres://u:{}@h/db?a=b"], ["-d", "postgres://u:{}@h/db?a=b"]),
    "parameter": (["--url=https://h.example?a=b&token={}&c=d"],) * 2,
    "variable": (["--env=DB_PASS={}", "-e", "GH_PAT={}"], ["--env=DB_PASS={}", "-e", "GH_PAT={}"]),
    "names": (
        ["--pw", "{}", "--pat", "{}", "--pass={}"],
        ["--pw", "{}", "--pat", "{}", "--pass={}"],
    ),
    "JSON": (["--config", '{{"apiKey": "{}", "n": 5}}'],) * 2,
    "shell": (
        ["-c", 'a && TOKEN={} b -H "Authorization: Bearer {}" "c" password={} d'],
        ["-c", 'a && TOKEN={} b -H "Authorization: {}" "c" password={} d'],
    ),
    "default": (["${{TOKEN:-{}}}"], ["${{TOKEN:-{}}}"]),
    "two in one": (["x key=https://u:{};{}@h"], ["x key={}@h"]),
}
"""Arguments that have a secret, and how they are shown; `{}` is the secret, or what stands for it."""

ORDINARY = [
    *(
        "--token-limit",
        "5",
        "--max-tokens",
        "9",
        "--tokenizer",
        "x",
        "--pattern",
        "x",
        "--key-file",
        "x",
    ),
    *("--keyboard", "us", "--pass-through", "x", "--pwd", "/x", "PATH=/x", "PWD=/x", "COMPASS=x"),
    *(
        "PASSIVE=1",
        "-e",
        "GITHUB_TOKEN",
        "ghcr.io/x/secret-scanner:1",
        "-v",
        "/secrets:/x",
        "token:/x",
    ),
    *(
        "ssh://git@h.example/x",
        "postgres://u@h/db",
        "@x/token@1.0",
        "http://h:80/@x",
        "C:\\keys",
        "12:30",
    ),
    *(
        "--token",
        "${A}",
        "Authorization: Bearer ${A}",
        "https://${A}:${B}@h",
        "--key=$A",
        "${TOKEN:-}",
    ),
]
"""Arguments that have none."""
NO_ERROR = {"error": None, "error_info": None}


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The file of the project that the commands run in."""
    return tmp_path / ".mcp.json"


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """Run a command in this process, which is quicker; return the exit status and the sentence."""
    monkeypatch.chdir(tmp_path)

    def refusal(*words: str, stdin: bytes = b"") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises((KosmoError, click.UsageError)) as caught:
            cli.main([*words], prog_name="kosmo", standalone_mode=False)
        error = caught.value
        if isinstance(error, KosmoError):
            return CODES[error.code].exit_status, error.message
        assert isinstance(error, click.UsageError)
        return CODES["usage"].exit_status, error.format_message()

    return refusal


def document(path: Path) -> Any:
    """Return what a file says."""
    return json.loads(path.read_text(encoding="utf-8"))


def done(command: str, finished: Finished) -> Any:
    """Return the envelope of a command that has done its work, without what is the same in each."""
    envelope = finished.json()
    assert_fits(command, envelope)
    assert (finished.status, finished.stderr, envelope["success"]) == (0, "", True)
    constant = ("schema_version", "success", "error", "error_info")
    return {name: value for name, value in envelope.items() if name not in constant}


def refused(command: str, finished: Finished) -> tuple[int, str, str | None]:
    """Return the exit status, the sentence and the hint of a command that was refused."""
    envelope = finished.json()
    assert_fits(command, envelope)
    assert (finished.stderr, envelope["success"]) == ("", False)
    return finished.status, envelope["error"], envelope["error_info"]["hint"]


class TestAdd:
    """mcp:add."""

    def test_server_is_written_to_the_project_and_trusted(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """Words after -- are the server's; a variable without a value is a reference."""
        assert done("mcp:add", kosmo("mcp:add", "--json", *GITHUB)) == {
            "server": "github",
            "alias": "github",
            "scope": "project",
            "path": str(project),
            "enabled": True,
            "trust": "trusted",
            "permissions": OPEN,
            "warnings": [],
        }
        assert project.read_text() == (
            '{\n  "mcpServers": {\n    "github": {\n      "command": "npx",\n      "args": [\n'
            '        "-y",\n        "server-github"\n      ],\n      "env": {\n'
            '        "GITHUB_TOKEN": "${GITHUB_TOKEN}"\n      }\n    }\n  }\n}\n'
        )
        assert sorted(path.name for path in home.iterdir()) == [".lock", "config.toml"]

    def test_every_option_has_its_place(self, kosmo: Kosmo, home: Path) -> None:
        """Upstream's flags; --global is the user's own file, which needs no trust."""
        given = ["--type", "http", "--url", "https://x.example/mcp", "--timeout", "5", "--disable"]
        given += ["--header", "Authorization: Bearer ${T}", "--header", "X=a:b"]
        given += ["--read", "ask", "--write", "deny", "--global"]
        assert done("mcp:add", kosmo("mcp:add", "My Web", *given, "--json")) == {
            "server": "My Web",
            "alias": "my_web",
            "scope": "global",
            "path": str(home / "mcp.json"),
            "enabled": False,
            "trust": "own",
            "permissions": {"read": "ask", "write": "deny"},
            "warnings": [],
        }
        assert document(home / "mcp.json") == {
            "mcpServers": {
                "My Web": {
                    "type": "http",
                    "url": "https://x.example/mcp",
                    "headers": {"Authorization": "Bearer ${T}", "X": "a:b"},
                    "timeout": 5,
                    "enabled": False,
                }
            }
        }
        assert (home / "mcp.json").stat().st_mode & 0o777 == 0o600
        assert Config(str(home)).user.values == {
            "policy": {"mcp.my_web.read": "ask", "mcp.my_web.write": "deny"}
        }

    @pytest.mark.parametrize(
        ("words", "entry"),
        [
            (["http://localhost:1/x"], {"type": "http", "url": "http://localhost:1/x"}),
            (["--command", "x", "a", "--arg", "-b"], {"command": "x", "args": ["a", "-b"]}),
            (["x", "--arg=--json"], {"command": "x", "args": ["--json"]}),
            (["--env", "A=b=c", "--env=B=", "--", "x", "--"], None),
        ],
    )
    def test_ways_to_say_it(
        self, kosmo: Kosmo, project: Path, words: list[str], entry: Any
    ) -> None:
        """A command, or an address, by its place or by its option."""
        assert kosmo("mcp:add", "s", *words).status == 0
        expected = entry or {"command": "x", "args": ["--"], "env": {"A": "b=c", "B": ""}}
        assert document(project) == {"mcpServers": {"s": expected}}

    def test_secret_that_is_written_out_is_warned_about_and_not_repeated(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """It is where the user wants it, and the warning says where it should be."""
        given = ["--env", "API_KEY=s3cret", "--", "x", "--token", "s3cret"]
        finished = kosmo("mcp:add", "s", "--json", *given)
        assert "s3cret" not in finished.stdout
        now = f"looks like a secret, and is now in {project} as plain text: store it with kosmo"
        assert done("mcp:add", finished)["warnings"] == [
            f"API_KEY {now} mcp:secret:set s API_KEY, and write ${{KOSMO_SECRET:mcp.s.API_KEY}} there",
            f"an argument {now} mcp:secret:set s KEY, and write ${{KOSMO_SECRET:mcp.s.KEY}} there",
        ]

    def test_secret_without_a_name_of_its_own_is_warned_about(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """Ours: it is a part of something else, as the arguments of mcp-remote have it."""
        given = ["--env", "DATABASE_URL=postgres://u:s3cret@h/db", "--env", "GH_PAT=s3cret"]
        words = ["--", "npx", "mcp-remote", "https://x.example/sse"]
        header = ["--header", "Authorization: Bearer s3cret"]
        now = f"looks like a secret, and is now in {project} as plain text: store it with kosmo"
        ways = (
            ("a part of DATABASE_URL", "DATABASE_URL"),
            ("GH_PAT", "GH_PAT"),
            ("an argument", "KEY"),
        )
        assert done("mcp:add", kosmo("mcp:add", "s", "--json", *given, *words, *header))[
            "warnings"
        ] == [
            f"{what} {now} mcp:secret:set s {key}, and write ${{KOSMO_SECRET:mcp.s.{key}}} there"
            for what, key in ways
        ]

    def test_command_that_is_a_whole_line_is_warned_about(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """Ours: it cannot be started, but it is in the file."""
        [warning] = done("mcp:add", kosmo("mcp:add", "s", "x --token=s3cret", "--json"))[
            "warnings"
        ]
        assert warning.startswith(f"an argument looks like a secret, and is now in {project}")
        [server] = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert server["command"] == "x --token=********"

    def test_relative_command_that_is_not_there_is_warned_about(
        self, kosmo: Kosmo, home: Path, tmp_path: Path
    ) -> None:
        """It starts from the project's root, or from the folder of the user's file."""
        for scope, base in (("--project", tmp_path), ("--global", home)):
            given = ("mcp:add", scope.strip("-"), "./server.py", scope, "--json")
            warning = f"there is no {base}/./server.py: a relative command starts from {base}"
            assert done("mcp:add", kosmo(*given))["warnings"] == [warning]
            (base / "server.py").write_text("")
            assert done("mcp:add", kosmo(*given))["warnings"] == []

    def test_everything_else_in_the_file_stays(self, kosmo: Kosmo, project: Path) -> None:
        """Unknown keys, other servers, their order; and the key that the file has."""
        before: dict[str, Any] = {
            "inputs": [{"id": "ü", "n": 1.5}],
            "servers": {"z": {"url": "https://z.example", "gallery": True}, "a": {}},
        }
        project.write_text(json.dumps(before), encoding="utf-8")
        project.chmod(0o640)
        assert kosmo("mcp:add", "m", "x").status == 0
        assert list(document(project)["servers"]) == ["z", "a", "m"]
        before["servers"]["m"] = {"command": "x"}
        assert document(project) == before
        assert "ü" in project.read_text(encoding="utf-8")
        assert project.stat().st_mode & 0o777 == 0o640

    def test_another_server_of_the_name_stays_and_the_same_is_no_error(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """A script that sets up a machine may run twice; nothing is lost."""
        assert kosmo("mcp:add", *GITHUB).status == 0
        before = project.read_text()
        assert kosmo("mcp:add", *GITHUB).status == 0
        assert refused("mcp:add", kosmo("mcp:add", "github", "other", "--json")) == (
            78,
            f"there is another MCP server github in {project}",
            "Run: kosmo mcp:remove github",
        )
        assert project.read_text() == before

    def test_own_server_that_the_projects_hides_gives_that_no_permission(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """The rule would be about the name, and the name is a stranger's here."""
        project.write_text(json.dumps({"mcpServers": {"s": {"command": "evil"}}}))
        added = done("mcp:add", kosmo("mcp:add", "s", "x", "--global", "--write=allow", "--json"))
        assert added["warnings"] == [
            "the project has another s, which counts here; nothing was decided about reads and writes"
        ]
        assert (added["path"], added["permissions"]) == (str(home / "mcp.json"), OPEN)
        assert not (home / "config.toml").exists()

    @pytest.mark.parametrize(
        ("words", "status", "sentence"),
        [
            (["s"], 2, "give one command or one address"),
            (["s", "x", "--url", "https://x.example"], 2, "give one command or one address"),
            (
                ["s", "--command", "x", "--url", "https://x.example"],
                2,
                "give one command or one address",
            ),
            (
                ["s", "npx", "-y", "p"],
                2,
                "No such option '-y': options of the server go after --: mcp:add NAME -- COMMAND -y",
            ),
            (["s", "x", "--header", "abc"], 2, "--header takes NAME:VALUE"),
            (["s", "x", "--env", "A=1", "--env", "A"], 2, "--env A was given twice"),
            (["s", "x", "--env", "=1"], 78, "{}: s: env has '', which cannot be a name there"),
            (
                ["s", "x", "--timeout", "nan"],
                78,
                "{}: s: timeout must be seconds, more than 0 and at most 86,400",
            ),
            (
                ["s", "http://x.example"],
                78,
                "{}: s: url must start with https:// (http:// is for this machine only)",
            ),
            (
                ["s", "https://u:pw@x.example"],
                78,
                "{}: s: url must not have a user or a password: give them in headers",
            ),
            (["s", "https://x.example", "a"], 78, "{}: s: args has no meaning beside url"),
            (
                ["s", "x", "--type", "sse"],
                78,
                "{}: s: type sse is not supported: streamable HTTP is; ask the server for it",
            ),
            (["../s", "x"], 78, "{}: '../s' cannot be the name of an MCP server"),
            (["s", b"\xff".decode(errors="surrogateescape")], 78, "{}: s: command must be a text"),
            (["s", "", "x"], 78, "{}: s: command is empty"),
        ],
    )
    def test_what_makes_no_server_is_not_written(  # noqa: PLR0917  # the case
        self,
        refusal: Refusal,
        home: Path,
        project: Path,
        words: list[str],
        status: int,
        sentence: str,
    ) -> None:
        """One sentence, and no file."""
        assert refusal("mcp:add", *words) == (status, sentence.format(project))
        assert (project.exists(), [*home.iterdir()]) == (False, [])


class TestList:
    """mcp:list."""

    def test_it_shows_what_is_defined_and_no_value(
        self, kosmo: Kosmo, home: Path, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Names of variables and headers; an address, or arguments, without the secrets in them."""
        monkeypatch.setenv("KOSMO_MCP_WEB_WRITE", "allow")
        program = {
            "command": "x",
            "args": ["--key=s3cret", "-v"],
            "env": {"A": "s3cret"},
            "cwd": "d",
        }
        url = "https://x.example/mcp?api_key=s3cret&page=1&token=${T}"
        web = {"url": url, "headers": {"Authorization": "Bearer s3cret"}, "timeout": 9}
        own = {"mcpServers": {"web": web, "off": {"command": "y", "disabled": True}, "bad": {}}}
        project.write_text(json.dumps({"mcpServers": {"my-program": program}}))
        (home / "mcp.json").write_text(json.dumps(own))
        finished = kosmo("mcp:list", "--json")
        assert "s3cret" not in finished.stdout
        found = done("mcp:list", finished)
        assert found == {
            "servers": [
                {
                    "name": "my-program",
                    "alias": "my_program",
                    "type": "stdio",
                    "enabled": True,
                    "source": "project",
                    "path": str(project),
                    "command": "x",
                    "args": ["--key=********", "-v"],
                    "cwd": "d",
                    "env": ["A"],
                    "url": None,
                    "headers": [],
                    "timeout": 60.0,
                    "trust": "untrusted",
                    "permissions": OPEN,
                },
                {
                    "name": "web",
                    "alias": "web",
                    "type": "http",
                    "enabled": True,
                    "source": "global",
                    "path": str(home / "mcp.json"),
                    "command": None,
                    "args": [],
                    "cwd": None,
                    "env": [],
                    "url": "https://x.example/mcp?api_key=********&page=1&token=${T}",
                    "headers": ["Authorization"],
                    "timeout": 9.0,
                    "trust": "own",
                    "permissions": {"read": "allow", "write": "allow"},
                },
            ],
            "warnings": [f"{home / 'mcp.json'}: bad has neither command nor url"],
        }
        everything = done("mcp:list", kosmo("mcp:list", "--all", "--json"))["servers"]
        assert [(each["name"], each["enabled"]) for each in everything] == [
            ("my-program", True),
            ("off", False),
            ("web", True),
        ]

    def test_no_secret_is_shown_however_it_is_written(self, kosmo: Kosmo, project: Path) -> None:
        """Ours: by the name before it, or by its place; what stands around it stays readable."""

        def words(args: list[str], secret: str) -> list[str]:
            return [arg.format(*[secret] * 3) for arg in args]

        servers = {
            name: {"command": "x", "args": words(args, "s3cret")}
            for name, (args, _) in WRITTEN.items()
        }
        project.write_text(json.dumps({"mcpServers": servers}))
        listed = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        shown = {name: words(args, "********") for name, (_, args) in WRITTEN.items()}
        assert {each["name"]: each["args"] for each in listed} == shown
        exported = done("mcp:export", kosmo("mcp:export", "--json"))["document"]["mcpServers"]
        assert {name: each["args"] for name, each in exported.items()} == shown

    def test_ordinary_arguments_are_shown(self, kosmo: Kosmo, project: Path) -> None:
        """Ours: a name that only sounds like a secret, a path, a reference."""
        project.write_text(json.dumps({"mcpServers": {"s": {"command": "x", "args": ORDINARY}}}))
        [server] = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert server["args"] == ORDINARY

    def test_for_people_it_is_a_table(self, kosmo: Kosmo, project: Path) -> None:
        """What a stranger's file says does not move the cursor."""
        entry = {"command": "x", "args": ["\x1b[2J", "--token", "abc"]}
        project.write_text(json.dumps({"mcpServers": {"s": entry, "\x1b]0;": entry}}))
        finished = kosmo("mcp:list")
        rows = [
            ["Server", "In Lua", "What it is", "Trust", "Policy", "File"],
            ["s", "mcp.s", "x '?[2J' --token ********", "untrusted", "read allow, write ask"],
        ]
        rows[1].append(str(project))
        assert [re.split("  +", line) for line in finished.stdout.splitlines()] == rows
        assert finished.stderr.startswith(f"warning: {project}: '\\x1b]0;' cannot be the name")
        assert "\x1b" not in finished.stdout + finished.stderr

    def test_address_that_is_none_yet_is_shown(self, kosmo: Kosmo, project: Path) -> None:
        """With its references it can be anything, and no reason to show nothing else."""
        project.write_text(json.dumps({"mcpServers": {"s": {"url": "https://[${X}?key=a&b"}}}))
        [server] = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert server["url"] == "https://[${X}?key=********&b"

    def test_rules_are_about_one_server_or_all(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """The most specific counts, as for integrations."""
        project.write_text(
            json.dumps({"mcpServers": {n: {"command": "x"} for n in ("a", "b-c", "1")}})
        )
        rules = ('"mcp.write" = "deny"', '"mcp.b_c.write" = "allow"', '"mcp._1.read" = "ask"')
        (home / "config.toml").write_text("\n".join(("[policy]", *rules)))
        servers = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert {each["name"]: [*each["permissions"].values()] for each in servers} == {
            "1": ["ask", "deny"],
            "a": ["allow", "deny"],
            "b-c": ["allow", "allow"],
        }

    def test_without_servers_it_says_so(self, kosmo: Kosmo) -> None:
        """No file, no error."""
        assert kosmo("mcp:list").stdout == "There are no MCP servers.\n"


class TestChanges:
    """mcp:remove, mcp:enable, mcp:disable."""

    def test_server_is_switched_off_and_on_without_losing_trust(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """In the file that defines it; what it would run is the same."""
        kosmo("mcp:add", *GITHUB)
        before = project.read_text()
        off = {
            "server": "github",
            "alias": "github",
            "scope": "project",
            "path": str(project),
            "enabled": False,
            "trust": "trusted",
            "permissions": OPEN,
            "warnings": [],
        }
        assert done("mcp:disable", kosmo("mcp:disable", "github", "--json")) == off
        assert document(project)["mcpServers"]["github"]["enabled"] is False
        on = done("mcp:enable", kosmo("mcp:enable", "github", "--project", "--json"))
        assert on == {**off, "enabled": True}
        assert project.read_text() == before

    def test_removal_ends_trust_and_says_what_counts_now(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """The user's own server of the name comes to light; the next one of the name needs trust anew."""
        kosmo("mcp:add", *GITHUB)
        kosmo("mcp:add", "github", "own", "--global")
        text = project.read_text()
        assert done("mcp:remove", kosmo("mcp:remove", "github", "--json")) == {
            "server": "github",
            "alias": "github",
            "scope": "project",
            "path": str(project),
            "enabled": None,
            "trust": None,
            "permissions": None,
            "warnings": [f"github of {home / 'mcp.json'} counts now"],
        }
        assert document(project) == {"mcpServers": {}}
        project.write_text(text)
        [found] = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert (found["source"], found["trust"]) == ("project", "untrusted")

    def test_scope_says_which_of_two(self, kosmo: Kosmo, home: Path, project: Path) -> None:
        """Also the one that does not count."""
        kosmo("mcp:add", "s", "x")
        kosmo("mcp:add", "s", "x", "--global")
        assert kosmo("mcp:disable", "s", "--global").status == 0
        assert document(home / "mcp.json")["mcpServers"]["s"]["enabled"] is False
        assert document(project)["mcpServers"]["s"] == {"command": "x"}
        assert kosmo("mcp:remove", "s", "--global").status == 0
        assert refused("mcp:remove", kosmo("mcp:remove", "s", "--global", "--json")) == (
            65,
            f"the MCP server s is not defined in your own file, but in {project}",
            "List them: kosmo mcp:list --all",
        )

    def test_broken_entry_can_be_removed(self, kosmo: Kosmo, project: Path) -> None:
        """Also one whose name no server may have."""
        project.write_text(json.dumps({"mcpServers": {"\x1b[2J": 1, "s": {"url": "ftp://x"}}}))
        finished = kosmo("mcp:remove", "\x1b[2J")
        assert finished.stdout == f"Removed '\\x1b[2J' from {project}.\n"
        assert kosmo("mcp:remove", "s").status == 0
        assert document(project) == {"mcpServers": {}}

    def test_unknown_server_is_refused_with_the_nearest(self, kosmo: Kosmo) -> None:
        """And with the command that lists them."""
        kosmo("mcp:add", *GITHUB)
        for command in ("mcp:remove", "mcp:enable", "mcp:trust", "mcp:untrust"):
            assert refused(command, kosmo(command, "gitub", "--json")) == (
                65,
                "unknown MCP server gitub. Did you mean: github?",
                "List them: kosmo mcp:list --all",
            )


class TestTrust:
    """mcp:trust, mcp:untrust."""

    def test_without_a_terminal_it_needs_a_yes(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """A clone cannot be trusted by accident."""
        project.write_text(json.dumps({"mcpServers": {"s": {"command": "x"}}}))
        assert refused("mcp:trust", kosmo("mcp:trust", "s", "--project", "--json")) == (
            77,
            "to trust the MCP server s needs a yes, and there was nobody to ask",
            f"Review {project}, then run: kosmo mcp:trust s --yes",
        )
        assert [*home.iterdir()] == []
        change = {
            "server": "s",
            "alias": "s",
            "scope": "project",
            "path": str(project),
            "enabled": True,
            "trust": "trusted",
            "permissions": OPEN,
            "warnings": [],
        }
        assert done("mcp:trust", kosmo("mcp:trust", "s", "--yes", "--json")) == change
        assert kosmo("mcp:trust", "s").stdout == "s is trusted already.\n"
        untrusted = done("mcp:untrust", kosmo("mcp:untrust", "s", "--json"))
        assert untrusted == {**change, "trust": "untrusted"}

    def test_at_a_terminal_it_shows_what_would_run(
        self, terminal: Terminal, home: Path, project: Path
    ) -> None:
        """All of it, the variables that change what runs, the references; nothing moves the cursor."""
        entry = {
            "command": "sh",
            "args": ["-c", "a\n  run   b\x1b[2K\u202e", "--token", "shown"],
            "env": {
                "LD_PRELOAD": "./evil.so\n  run   ls",
                "T": "${GITHUB_TOKEN}",
                "K": "@secret:mcp.o.k",
                "API_KEY": "hidden",
                "DATABASE_URL": "postgres://u:hidden@h/db",
            },
        }
        project.write_text(json.dumps({"mcpServers": {"s": entry}}))
        asked = terminal.run("s", command="mcp:trust")
        assert terminal.wait_for("Trust it? [y/N]").replace("\r", "").splitlines() == [
            f"The MCP server s of {project} would",
            "  run   sh -c 'a\\n  run   b\\u001b[2K\\u202e' --token shown",
            "  with  LD_PRELOAD=./evil.so\\n  run   ls",
            "  with  T=${GITHUB_TOKEN}",
            "  with  K=@secret:mcp.o.k",
            "  with  API_KEY=********",
            "  with  DATABASE_URL=postgres://u:********@h/db",
            "  and would be given $GITHUB_TOKEN, the secret mcp.o.k",
        ]
        terminal.type("\n")
        assert asked.wait(20) == 77
        assert not (home / "config.toml").exists()
        asked = terminal.run("s", command="mcp:trust")
        terminal.wait_for("Trust it? [y/N]")
        terminal.type("y\n")
        assert asked.wait(20) == 0
        assert [*Config(str(home)).mcp()["trust"][str(project.parent)]] == ["s"]  # type: ignore[index]  # a table

    def test_at_a_terminal_it_shows_an_address_without_its_secrets(
        self, terminal: Terminal, project: Path
    ) -> None:
        """Ours: nothing in it is run."""
        entry = {
            "url": "https://x.example/mcp?page=1&key=hidden",
            "headers": {"Authorization": "Bearer hidden", "X": "shown"},
        }
        project.write_text(json.dumps({"mcpServers": {"s": entry}}))
        asked = terminal.run("s", command="mcp:trust")
        assert terminal.wait_for("Trust it? [y/N]").replace("\r", "").splitlines() == [
            f"The MCP server s of {project} would",
            "  call  https://x.example/mcp?page=1&key=********",
            "  with  Authorization: ********",
            "  with  X: shown",
        ]
        terminal.type("\n")
        assert asked.wait(20) == 77

    def test_it_says_which_rules_of_the_user_the_server_would_get_by_its_name(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """Who allowed writes to the own server has not thought of the one of a clone."""
        own, config = home / "mcp.json", home / "config.toml"
        own.write_text(json.dumps({"mcpServers": {"github": {"command": "mine"}}}))
        config.write_text(
            '[policy]\n"mcp.github.write" = "allow"\n"mcp.github.wipe" = "deny"\nread = "allow"\n'
        )
        project.write_text(json.dumps({"mcpServers": {"github": {"command": "theirs"}}}))
        trusted = done("mcp:trust", kosmo("mcp:trust", "github", "--yes", "--json"))
        assert trusted["warnings"] == [
            f"it hides your own server github of {own}",
            f"your rule mcp.github.write = allow holds for it, in {config}",
        ]

    def test_own_server_needs_none(self, kosmo: Kosmo, home: Path) -> None:
        """It says so, and writes nothing."""
        kosmo("mcp:add", "s", "x", "--global")
        assert kosmo("mcp:trust", "s").stdout == "s is your own, and needs no trust.\n"
        assert not (home / "config.toml").exists()

    def test_w2_a_cloned_repository_cannot_trust_itself(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """What was stored is of no use to another definition, and a project's file has no such table."""
        kosmo("mcp:add", *GITHUB)
        trust = (home / "config.toml").read_text()
        project.write_text(json.dumps({"mcpServers": {"github": {"command": "evil"}}}))
        [found] = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert found["trust"] == "changed"
        (project.parent / "kosmo.toml").write_text(trust)
        assert refused("mcp:list", kosmo("mcp:list", "--json")) == (
            78,
            f"{project.parent / 'kosmo.toml'}: a project cannot set mcp: it would come with every clone",
            "Use kosmo mcp:trust.",
        )


class TestImportAndExport:
    """mcp:import, mcp:export."""

    def test_import_adds_what_can_be_used(
        self, kosmo: Kosmo, project: Path, tmp_path: Path
    ) -> None:
        """Both forms, other clients' keys and all; what is there stays, and the project's need trust."""
        kosmo("mcp:add", "same", "x")
        kosmo("mcp:add", "other", "x")
        source = tmp_path / "vscode.json"
        entries = {
            "new": {"type": "stdio", "command": "y", "gallery": True},
            "same": {"command": "x"},
            "other": {"command": "z"},
            "old": {"type": "sse", "url": "https://x.example"},
        }
        source.write_text("// VS Code\n" + json.dumps({"servers": entries, "inputs": []}))
        facts = {
            "source": str(source),
            "scope": "project",
            "path": str(project),
            "added": ["new"],
            "replaced": [],
            "skipped": ["same", "other"],
            "warnings": [
                f"{source}: old: type sse is not supported: streamable HTTP is; ask the server for it",
                f"other is in {project} already: --force replaces it",
            ],
        }
        assert done("mcp:import", kosmo("mcp:import", "vscode.json", "--json")) == facts
        listed = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert {each["name"]: each["trust"] for each in listed} == {
            "new": "untrusted",
            "other": "trusted",
            "same": "trusted",
        }
        forced = done("mcp:import", kosmo("mcp:import", "vscode.json", "--force", "--json"))
        assert (forced["replaced"], forced["skipped"]) == (["other"], ["new", "same"])
        del entries["old"]
        assert document(project) == {
            "mcpServers": {name: entries[name] for name in ("same", "other", "new")}
        }

    def test_export_has_references_and_no_secret(
        self, kosmo: Kosmo, home: Path, project: Path, tmp_path: Path
    ) -> None:
        """What is written out becomes a reference, and a warning says so."""
        entry = {
            "command": "x",
            "args": ["${A}", "--token=s3cret"],
            "env": {"A": "${A}", "API_KEY": "s3cret", "B": "plain"},
            "timeout": 5,
        }
        own = {"url": "https://x.example/mcp", "headers": {"Authorization": "@secret:mcp.web.T"}}
        project.write_text(
            json.dumps({"mcpServers": {"s": entry, "off": {"command": "y", "enabled": False}}})
        )
        (home / "mcp.json").write_text(json.dumps({"mcpServers": {"web": own}}))
        warnings = [
            "s: a secret in its address or arguments was not exported",
            "s: API_KEY is written out; it was exported as ${API_KEY}",
            "web refers to a stored secret, which only kosmo resolves",
        ]
        expected = {
            "mcpServers": {
                "s": {
                    "command": "x",
                    "args": ["${A}", "--token=********"],
                    "env": {"A": "${A}", "API_KEY": "${API_KEY}", "B": "plain"},
                    "timeout": 5.0,
                },
                "web": {"type": "http", **own},
            }
        }
        assert done("mcp:export", kosmo("mcp:export", "--json")) == {
            "format": "mcpServers",
            "path": None,
            "servers": ["s", "web"],
            "document": expected,
            "warnings": warnings,
        }
        assert json.loads(kosmo("mcp:export").stdout) == expected
        vscode = json.loads(kosmo("mcp:export", "--format", "vscode").stdout)["servers"]["s"]
        assert (vscode["type"], vscode["args"][0]) == ("stdio", "${env:A}")
        given = ("mcp:export", "--path", "out.json", "--json")
        assert done("mcp:export", kosmo(*given))["path"] == str(tmp_path / "out.json")
        assert document(tmp_path / "out.json") == expected
        assert refused("mcp:export", kosmo(*given)) == (
            78,
            f"there is {tmp_path / 'out.json'} already",
            "Give --force to replace it.",
        )

    def test_export_makes_a_reference_of_each_variable_that_has_a_secret(
        self, kosmo: Kosmo, project: Path
    ) -> None:
        """Ours: by its name, by its place, or as the default of a reference; what is none stays."""
        secret = {
            "DATABASE_URL": "postgres://u:s3cret@h/db",
            "PASS": "s3cret",
            "PW": "s3cret",
            "GH_PAT": "s3cret",
            "MYSQL_PWD": "s3cret",
            "AUTH_HEADER": "Bearer s3cret",
            "API_KEY": "${API_KEY:-s3cret}",
        }
        plain = {"PWD": "/x", "PATH": "/x", "COMPASS": "x", "TOKEN_LIMIT": "5", "KEY": "${A:-}"}
        entry = {"command": "x", "env": {**secret, **plain}}
        project.write_text(json.dumps({"mcpServers": {"s": entry}}))
        exported = done("mcp:export", kosmo("mcp:export", "--json"))
        references = {name: f"${{{name}}}" for name in secret}
        assert exported["document"]["mcpServers"]["s"]["env"] == {**references, **plain}
        assert exported["warnings"] == [
            f"s: {name} is written out; it was exported as ${{{name}}}" for name in secret
        ]

    @pytest.mark.parametrize("by_link", [False, True])
    def test_export_replaces_no_pipe(self, kosmo: Kosmo, tmp_path: Path, *, by_link: bool) -> None:
        """Ours: whoever reads it would wait for ever; of a device the machine would have none."""
        pipe = target = tmp_path / "pipe"
        os.mkfifo(pipe)
        if by_link:
            target = tmp_path / "link"
            target.symlink_to(pipe)
        before = sorted(tmp_path.iterdir())
        given = ("mcp:export", "--path", str(target), "--force", "--json")
        assert refused("mcp:export", kosmo(*given)) == (
            78,
            f"cannot write {pipe}: it is not a file",
            None,
        )
        assert (pipe.is_fifo(), sorted(tmp_path.iterdir())) == (True, before)

    def test_export_does_not_move_the_cursor(self, kosmo: Kosmo, project: Path) -> None:
        """What a stranger's file says is written as JSON can."""
        args = ["\x9b2J", "\u202e", "\n", "ü"]
        project.write_text(json.dumps({"mcpServers": {"s": {"command": "x", "args": args}}}))
        shown = kosmo("mcp:export").stdout
        assert {c for c in shown if not c.isprintable()} == {"\n"}
        assert json.loads(shown) == document(project)

    @pytest.mark.parametrize("text", [None, "{", "[]"])
    def test_import_of_nothing_is_refused(
        self, kosmo: Kosmo, project: Path, text: str | None
    ) -> None:
        """No file, or none that can be used."""
        source = project.parent / "source.json"
        if text is not None:
            source.write_text(text)
        status, sentence, _ = refused("mcp:import", kosmo("mcp:import", str(source), "--json"))
        assert (status, str(source) in sentence, project.exists()) == (78, True, False)


class TestSecrets:
    """mcp:secret:set, mcp:secret:list, mcp:secret:unset."""

    def test_secret_is_stored_listed_and_forgotten(self, kosmo: Kosmo, home: Path) -> None:
        """In credentials.toml, for the user's eyes only; no answer has its value."""
        kosmo("mcp:add", "my-server", "x", "--global")
        path = home / "credentials.toml"
        change = {
            "server": "my-server",
            "key": "TOKEN",
            "path": str(path),
            "reference": "@secret:mcp.my-server.TOKEN",
            "warnings": [],
        }
        given = ("mcp:secret:set", "my_server", "TOKEN", "--json")
        assert done("mcp:secret:set", kosmo(*given, "--stdin", stdin=b"s3cret\n")) == change
        assert path.read_text() == '[mcp.my-server]\nTOKEN = "s3cret"\n'
        assert path.stat().st_mode & 0o777 == 0o600
        env = {"FROM": "cmd:cat /secret"}
        kosmo("mcp:secret:set", "my-server", "OTHER", "--env", "FROM", env=env)
        assert done("mcp:secret:list", kosmo("mcp:secret:list", "my-server", "--json")) == {
            "server": "my-server",
            "secrets": [
                {"key": "OTHER", "stored": "command"},
                {"key": "TOKEN", "stored": "file"},
            ],
            "warnings": [],
        }
        given = ("mcp:secret:unset", "my-server", "TOKEN", "--json")
        assert done("mcp:secret:unset", kosmo(*given)) == change
        assert refused("mcp:secret:unset", kosmo(*given)) == (
            78,
            "no secret 'TOKEN' of my-server is stored. Stored: OTHER.",
            None,
        )

    def test_w14_a_secret_is_never_an_argument(self, kosmo: Kosmo, home: Path) -> None:
        """Upstream took it from the command line; the refusal does not repeat it."""
        finished = kosmo("mcp:secret:set", "s", "KEY", "s3cret", "--json")
        assert refused("mcp:secret:set", finished)[:2] == (
            2,
            "too many words: it takes SERVER and KEY",
        )
        assert "s3cret" not in finished.stdout
        assert [*home.iterdir()] == []

    def test_at_a_terminal_it_is_asked_for_and_not_shown(
        self, terminal: Terminal, home: Path
    ) -> None:
        """A server that is not there yet is warned about."""
        command = terminal.run("s", "KEY", command="mcp:secret:set")
        terminal.wait_for("KEY:")
        terminal.type("s3cret\n")
        shown = terminal.read_all(command)
        assert (command.returncode, "s3cret" in shown) == (0, False)
        assert "warning: there is no MCP server s yet" in shown
        assert Config(str(home)).accounts("mcp") == {"s": {"KEY": "s3cret"}}

    @pytest.mark.parametrize(
        ("words", "stdin", "status", "sentence"),
        [
            (["s", "K"], b"", 2, "stdin is empty: give the secret there"),
            (["s", "K", "--stdin"], b"\xff", 2, "stdin cannot be read as UTF-8"),
            (["s", "K", "--env", "NO_SUCH"], b"", 2, "--env NO_SUCH: the variable is not set"),
            (
                ["s", "K", "--env", "A", "--stdin"],
                b"",
                2,
                "--stdin and --env contradict each other",
            ),
            (["s", "K"], b"keyring:", 78, "K of s has no value that can be stored"),
            (["s", "K"], b"a\0b", 78, "K of s has no value that can be stored"),
            (["s", "K"], b"cmd:", 78, "the command for the K cannot be run: it is not a command"),
            (["s", "a b"], b"x", 78, "'a b' cannot be the key of a secret"),
            (["../s", "K"], b"x", 78, "'../s' cannot be the name of an MCP server"),
        ],
    )
    def test_what_is_no_secret_is_not_stored(  # noqa: PLR0917  # the case
        self,
        refusal: Refusal,
        home: Path,
        words: list[str],
        stdin: bytes,
        status: int,
        sentence: str,
    ) -> None:
        """One sentence, and no file."""
        assert refusal("mcp:secret:set", *words, stdin=stdin) == (status, sentence)
        assert [*home.iterdir()] == []

    def test_secrets_of_servers_are_no_unknown_integration(self, kosmo: Kosmo) -> None:
        """accounts:list has no complaint about them."""
        kosmo("mcp:secret:set", "s", "K", stdin=b"x")
        assert kosmo("accounts:list", "--json").json()["warnings"] == []


class TestFiles:
    """What a change must not do."""

    @pytest.mark.parametrize("link", [".mcp.json", ".cursor", ".cursor/mcp.json"])
    def test_change_never_goes_through_a_link_of_the_project(
        self, kosmo: Kosmo, tmp_path: Path, link: str
    ) -> None:
        """It comes with the clone, and would lead to a file of the user."""
        victim = tmp_path / "victim"
        victim.mkdir()
        text = json.dumps({"mcpServers": {"s": {"command": "x"}}})
        (victim / "mcp.json").write_text(text)
        place = tmp_path / link
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(victim if link == ".cursor" else victim / "mcp.json")
        path = tmp_path / (".mcp.json" if link == ".mcp.json" else ".cursor/mcp.json")
        for command in ("mcp:disable", "mcp:remove"):
            found = refused(command, kosmo(command, "s", "--json"))
            assert found == (78, f"cannot change {path}: {place} is a link", None)
        assert (victim / "mcp.json").read_text() == text

    def test_own_file_may_be_a_link(self, kosmo: Kosmo, home: Path, tmp_path: Path) -> None:
        """Some keep such files in a repository of their own."""
        (tmp_path / "dotfiles.json").write_text("{}")
        (home / "mcp.json").symlink_to(tmp_path / "dotfiles.json")
        assert kosmo("mcp:add", "s", "x", "--global").status == 0
        assert document(tmp_path / "dotfiles.json") == {"mcpServers": {"s": {"command": "x"}}}
        assert (home / "mcp.json").is_symlink()

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("[", "{} is not valid JSON: expecting value in line 1, column 2"),
            ('{"mcpServers": 1}', "{}: mcpServers must be an object of servers"),
            ("// mine\n{}", "cannot change {}: it has comments, which would be lost"),
            ("[" * 100_000, "{} is not valid JSON: it is nested too deeply"),
        ],
    )
    def test_file_that_would_be_spoilt_is_not_changed(  # the case
        self, kosmo: Kosmo, project: Path, text: str, sentence: str
    ) -> None:
        """Whoever wrote it finds it as it was."""
        project.write_text(text)
        found = refused("mcp:add", kosmo("mcp:add", "s", "x", "--json"))
        assert found[:2] == (78, sentence.replace("{}", str(project)))
        assert project.read_text() == text

    def test_two_changes_at_once_are_both_made(
        self, kosmo: Kosmo, start: Start, home: Path, project: Path
    ) -> None:
        """Each finds what the other has written: the servers, and their trust."""
        running = [start("mcp:add", f"s{n}", "x") for n in range(6)]
        assert [each.wait(60) for each in running] == [0] * 6
        assert sorted(document(project)["mcpServers"]) == [f"s{n}" for n in range(6)]
        listed = done("mcp:list", kosmo("mcp:list", "--json"))["servers"]
        assert {each["trust"] for each in listed} == {"trusted"}
        assert len(Config(str(home)).mcp()["trust"][str(project.parent)]) == 6  # type: ignore[index]  # a table

    def test_folder_that_cannot_be_written_is_an_error(
        self, kosmo: Kosmo, home: Path, project: Path
    ) -> None:
        """With the file, and what the system says; no temporary file is left."""
        (home / "taken").write_text("")
        env = {"KOSMO_HOME": str(home / "taken")}
        status, sentence, _ = refused("mcp:add", kosmo("mcp:add", "s", "x", "--json", env=env))
        assert (status, sentence) == (78, f"cannot write {project}: File exists")
        assert not project.exists()
        project.mkdir()
        status, sentence, _ = refused("mcp:add", kosmo("mcp:add", "s", "x", "--json"))
        assert (status, sentence) == (78, f"cannot read {project}: it is not a file")
        assert sorted(path.name for path in project.parent.iterdir()) == [".mcp.json", "home"]
