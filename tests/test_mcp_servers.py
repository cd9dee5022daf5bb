"""Which MCP servers the files define, what is said of those that are broken, what references become."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

from kosmo_lua.config import Config
from kosmo_lua.errors import ConfigError, Denied, KosmoError, UnknownIntegration
from kosmo_lua.mcp.secrets import Secrets
from kosmo_lua.mcp.server import Endpoint
from kosmo_lua.mcp.servers import Servers

Configured = Callable[..., Servers]

ENVIRON = {"HOME": "/home/me", "PATH": "/bin", "LANG": "C", "OTHER": "stays here", "EMPTY": ""}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a project."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def configured(tmp_path: Path, root: Path) -> Configured:
    """Write files, each a document or its text, and return what they define."""

    def configured(files: Mapping[str, Any], environ: Mapping[str, str] = ENVIRON) -> Servers:
        (tmp_path / "home").mkdir(exist_ok=True)
        for name, document in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            text = document if isinstance(document, str) else json.dumps(document)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)
        return Servers(Config(str(tmp_path / "home"), None, str(root)), environ)

    return configured


@pytest.fixture
def endpoint(configured: Configured) -> Callable[..., Endpoint]:
    """Return what the definition of a project's server becomes."""

    def endpoint(
        entry: Any, environ: Mapping[str, str] | None = None, secrets: str = ""
    ) -> Endpoint:
        files = {"project/.mcp.json": {"mcpServers": {"s": entry}}}
        servers = configured(
            {**files, "home/credentials.toml": secrets}, {**ENVIRON, **(environ or {})}
        )
        return servers.endpoint(servers.get("s"), lambda group, running: None)  # noqa: ARG005  # as Tell

    return endpoint


def names(servers: Servers) -> list[tuple[str, str, str]]:
    """Return of each server its alias, its name and the file that defines it."""
    return [
        (alias, s.name, "/".join(s.source.split("/")[-2:])) for alias, s in servers.all.items()
    ]


def refused(action: Callable[[], object]) -> tuple[type[KosmoError], str, str | None]:
    """Return the error of an action."""
    with pytest.raises(KosmoError) as caught:
        action()
    return type(caught.value), caught.value.message, caught.value.hint


class TestFiles:
    """Which servers there are."""

    def test_all_files_count_and_the_first_wins(self, configured: Configured) -> None:
        """Upstream's order: the user's < .vscode < .cursor < .mcp.json."""
        files = (
            ("home/mcp.json", "mcpServers", "abcd"),
            ("project/.vscode/mcp.json", "servers", "abc"),
            ("project/.cursor/mcp.json", "mcpServers", "ab"),
            ("project/.mcp.json", "mcpServers", "a"),
        )
        servers = configured(
            {path: {key: {name: {"command": path} for name in each}} for path, key, each in files}
        )
        assert names(servers) == [
            ("a", "a", "project/.mcp.json"),
            ("b", "b", ".cursor/mcp.json"),
            ("c", "c", ".vscode/mcp.json"),
            ("d", "d", "home/mcp.json"),
        ]
        assert [s.command for s in servers.all.values()] == [path for path, _, _ in files[::-1]]
        assert [s.project is None for s in servers.all.values()] == [False, False, False, True]
        assert servers.problems == []

    def test_every_field_is_taken_as_it_is_written(
        self, configured: Configured, root: Path
    ) -> None:
        """No reference is expanded before the server is reached."""
        entry = {
            "type": "stdio",
            "command": "npx",
            "args": ["-y", "${X}"],
            "env": {"TOKEN": "${TOKEN}"},
            "cwd": "sub",
            "timeout": 5,
            "disabled": True,
            "alwaysAllow": ["another client's"],
        }
        web = {"type": "streamable-http", "url": "https://x.example/mcp", "headers": {"A": "$B"}}
        servers = configured({"project/.mcp.json": {"mcpServers": {"my-server": entry, "w": web}}})
        common = {"source": str(root / ".mcp.json"), "project": str(root)}
        assert [asdict(server) for server in servers.all.values()] == [
            {
                "name": "my-server",
                "alias": "my_server",
                **common,
                "kind": "stdio",
                "command": "npx",
                "args": ("-y", "${X}"),
                "env": {"TOKEN": "${TOKEN}"},
                "cwd": "sub",
                "url": None,
                "headers": {},
                "timeout": 5.0,
                "enabled": False,
            },
            {
                "name": "w",
                "alias": "w",
                **common,
                "kind": "http",
                "command": None,
                "args": (),
                "env": {},
                "cwd": None,
                "url": "https://x.example/mcp",
                "headers": {"A": "$B"},
                "timeout": 60.0,
                "enabled": True,
            },
        ]

    def test_file_of_vs_code_may_have_comments(self, configured: Configured) -> None:
        """VS Code writes JSON with comments, and commas before an end."""
        text = """{
            // who /* knows
            "servers": {"a": {"command": "http://no.comment", "args": ["/*", "\\"//", ",]"],},},
            /* "b": {} */ "inputs": [],
        }"""
        servers = configured({"project/.vscode/mcp.json": text})
        assert (servers.problems, servers.all["a"].command) == ([], "http://no.comment")
        assert servers.all["a"].args == ("/*", '"//', ",]")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[1 2]", " is not valid JSON: expecting ',' delimiter in line 1, column 4"),
            ('{"a": /* b', " is not valid JSON: expecting value in line 1, column 7"),
            ("[" * 100_000, " is not valid JSON: it is nested too deeply"),
            ("[]", ' must be a JSON object. Write {"mcpServers": {...}}.'),
            ('{"mcpServers": []}', ": mcpServers must be an object of servers"),
            ('{"a": {"b": 1, "b": 2}}', " is not valid JSON: 'b' is there twice"),
            ('{"mcpServers": {"x": {}}, "servers": {"x": {}}}', ": 'x' is there twice"),
            ('{"a": NaN}', " is not valid JSON: NaN is no number of JSON"),
            ('{"a": "\\ud800"}', " is not valid JSON: \\ud800 alone is no character"),
            (
                json.dumps({"servers": {f"s{n}": {} for n in range(501)}}),
                " has more than 500 servers",
            ),
            (" " * (4 * 1024 * 1024 + 1), "is larger than 4,194,304 bytes"),
        ],
    )
    def test_file_that_cannot_be_used_costs_only_itself(
        self, configured: Configured, root: Path, text: str, problem: str
    ) -> None:
        """The other files count, and one sentence says which does not, and why."""
        home = {"mcpServers": {"mine": {"command": "x"}}}
        servers = configured({"project/.mcp.json": text, "home/mcp.json": home})
        assert names(servers) == [("mine", "mine", "home/mcp.json")]
        [said] = servers.problems
        assert str(root / ".mcp.json") in said
        assert said.endswith(problem)
        error, message, _ = refused(lambda: servers.get("other"))
        assert (error, message.startswith("unknown MCP server other; ")) == (
            UnknownIntegration,
            True,
        )

    @pytest.mark.parametrize("kind", ["fifo", "folder", "loop", "device", "bytes"])
    def test_what_is_no_file_is_not_read(
        self, configured: Configured, root: Path, kind: str
    ) -> None:
        """A pipe would never answer, and a device never end."""
        path = root / ".mcp.json"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        elif kind == "bytes":
            path.write_bytes(b"\xff{}")
        else:
            path.symlink_to(path if kind == "loop" else "/dev/zero")
        [problem] = configured({}).problems
        assert problem in (
            f"cannot read {path}: it is not a file",
            f"cannot read {path}: Too many levels of symbolic links",
            f"{path} is not valid UTF-8",
        )

    @pytest.mark.parametrize("piece", ['"\\', "/*", ", ", '"', "//", ",\n", '"a",', "[", "/**/"])
    def test_no_text_takes_long_to_read(self, configured: Configured, piece: str) -> None:
        """A stranger's file cannot stop every command of the project."""
        servers = configured({"project/.mcp.json": piece * (300_000 // len(piece))})
        start = time.monotonic()
        assert len(servers.problems) == (piece not in ("//", "/**/"))  # comments are no mistake
        assert time.monotonic() - start < 3

    def test_nothing_is_read_before_it_is_asked_for(self, root: Path) -> None:
        """A run that touches no server never pays."""
        Servers(Config("/no/such/home", None, str(root)), {})
        assert Servers(Config(), {}).all == {}


class TestEntries:
    """What an entry must be."""

    @pytest.mark.parametrize(
        ("entry", "problem"),
        [
            (None, ": the server s must be an object"),
            ({}, ": s has neither command nor url"),
            (
                {"command": "x", "url": "https://x.example"},
                ": s has both command and url: choose one",
            ),
            ({"command": 1}, ": s: command must be a text"),
            ({"command": " "}, ": s: command is empty"),
            ({"command": "a\0"}, ": s: command must be a text"),
            ({"command": "x", "args": "y"}, ": s: args must be a list of texts"),
            ({"command": "x", "args": ["y", 1]}, ": s: args[1] must be a text"),
            ({"command": "x", "env": ["A"]}, ": s: env must be an object of texts"),
            ({"command": "x", "env": {"A": 1}}, ": s: env.A must be a text"),
            (
                {"command": "x", "env": {"A=": ""}},
                ": s: env has 'A=', which cannot be a name there",
            ),
            (
                {"command": "x", "env": {"\x1b": ""}},
                ": s: env has '\\x1b', which cannot be a name there",
            ),
            ({"command": "x", "headers": {"A": ""}}, ": s: headers has no meaning beside command"),
            (
                {"command": "x", "timeout": True},
                ": s: timeout must be seconds, more than 0 and at most 86,400",
            ),
            (
                {"command": "x", "timeout": 0},
                ": s: timeout must be seconds, more than 0 and at most 86,400",
            ),
            (
                {"command": "x", "timeout": 1e999},
                ": s: timeout must be seconds, more than 0 and at most 86,400",
            ),
            ({"command": "x", "enabled": 1}, ": s: enabled must be true or false"),
            (
                {"command": "x", "type": "http"},
                ": s: type is http, which needs url and not command",
            ),
            ({"command": "x", "type": "pipe"}, ": s: type must be stdio or http"),
            (
                {"command": "x", "envFile": ".env"},
                ": s: envFile is not supported: name the variables in env",
            ),
            (
                {"type": "sse", "url": "https://x.example"},
                ": s: type sse is not supported: streamable HTTP is; ask the server for it",
            ),
            (
                {"url": "http://x.example"},
                ": s: url must start with https:// (http:// is for this machine only)",
            ),
            (
                {"url": "https://me:pw@x.example"},
                ": s: url must not have a user or a password: give them in headers",
            ),
            (
                {"url": "file:///etc/passwd"},
                ": s: url must be an address such as https://mcp.example.com/mcp",
            ),
            (
                {"url": "https://x.example/\n"},
                ": s: url must be an address such as https://mcp.example.com/mcp",
            ),
            (
                {"url": "https://x.example", "headers": {"A:": ""}},
                ": s: headers has 'A:', which cannot be a name there",
            ),
        ],
    )
    def test_broken_entry_costs_only_itself(
        self, configured: Configured, root: Path, entry: Any, problem: str
    ) -> None:
        """The sentence has the file, the server and the field, and no value."""
        text = json.dumps({"mcpServers": {"s": entry, "t": {"command": "x"}}})
        servers = configured({"project/.mcp.json": text.replace("Infinity", "1e999")})
        assert names(servers) == [("t", "t", "project/.mcp.json")]
        assert servers.problems == [f"{root / '.mcp.json'}{problem}"]
        assert refused(lambda: servers.get("s"))[:2] == (ConfigError, servers.problems[0])

    def test_broken_entry_hides_that_of_a_file_that_counts_less(
        self, configured: Configured
    ) -> None:
        """Else another server than the one that is meant would get the calls."""
        files = {
            "project/.mcp.json": {"mcpServers": {"s": {}}},
            "home/mcp.json": {"mcpServers": {"s": {"command": "x"}}},
        }
        assert configured(files).all == {}

    @pytest.mark.parametrize(
        "name", ["", "..", "a/b", "a\nb", "\x1b[2J", "\u202egnp", " a", "a ", "ä", "x" * 65, "a:b"]
    )
    def test_name_that_a_terminal_or_a_path_could_mistake_is_refused(
        self, configured: Configured, root: Path, name: str
    ) -> None:
        """Letters, digits, -, _, . and spaces; what is shown of another cannot do anything."""
        servers = configured({"project/.mcp.json": {"mcpServers": {name: {"command": "x"}}}})
        [problem] = servers.problems
        assert problem.startswith(f"{root / '.mcp.json'}: '")
        assert (problem.isascii(), problem.isprintable(), len(problem) < 400) == (True, True, True)
        assert servers.all == {}

    @pytest.mark.parametrize(
        ("name", "alias"),
        [
            ("My Server.v2", "my_server_v2"),
            ("1password", "_1password"),
            ("write", "_write"),
            ("Read", "_read"),
            ("__proto__", "__proto__"),
            ("default", "default"),
        ],
    )
    def test_alias_is_a_name_in_lua(self, configured: Configured, name: str, alias: str) -> None:
        """Lower-cased, no digit first, and no word of a policy."""
        servers = configured({"project/.mcp.json": {"mcpServers": {name: {"command": "x"}}}})
        assert [*servers.all] == [alias]
        assert servers.get(name) is servers.get(alias)

    def test_same_alias_goes_to_the_server_of_the_user(
        self, configured: Configured, root: Path
    ) -> None:
        """Its rules stay its own. The others get numbers, problems say so, and each can be named."""
        files = {
            "project/.mcp.json": {"mcpServers": {"a-b": {"command": "x"}}},
            "home/mcp.json": {"mcpServers": {"a_b": {"command": "y"}, "A B": {"command": "z"}}},
        }
        servers = configured(files)
        assert {alias: s.name for alias, s in servers.all.items()} == {
            "a_b_3": "a-b",
            "a_b": "A B",
            "a_b_2": "a_b",
        }
        home = root.parent / "home/mcp.json"
        because = f"because mcp.a_b is A B of {home}. Rename one of them."
        assert servers.problems == [
            f"{home}: a_b is mcp.a_b_2 in Lua, {because}",
            f"{root / '.mcp.json'}: a-b is mcp.a_b_3 in Lua, {because}",
        ]
        assert [servers.get(server.handle) for server in servers.all.values()] == [
            *servers.all.values()
        ]

    def test_name_that_is_the_alias_of_another_is_no_target(self, configured: Configured) -> None:
        """A command could change the wrong one; Lua knows aliases only."""
        entries = {"a-b": {"command": "x"}, "a_b": {"command": "y"}}
        servers = configured({"home/mcp.json": {"mcpServers": entries}})
        assert servers.get("a_b").name == "a-b"
        assert refused(lambda: servers.find("a_b")) == (
            ConfigError,
            "a_b is the name of one MCP server, and the alias of a-b",
            "Write a-b, or a_b_2 for the other one.",
        )
        assert [servers.find(name).name for name in ("a-b", "a_b_2")] == ["a-b", "a_b"]

    def test_unknown_and_disabled_servers_say_what_to_do(self, configured: Configured) -> None:
        """The nearest names, or the command that enables it."""
        entries = {"git hub": {"command": "x", "enabled": False}, "gitlab": {"command": "x"}}
        servers = configured({"home/mcp.json": {"mcpServers": entries}})
        assert refused(lambda: servers.get("gitlap")) == (
            UnknownIntegration,
            "unknown MCP server gitlap. Did you mean: gitlab?",
            "List them: kosmo mcp:list --all",
        )
        source = servers.find("git hub").source
        assert refused(lambda: servers.get("git_hub")) == (
            Denied,
            f"the MCP server git hub is disabled in {source}",
            "Run: kosmo mcp:enable 'git hub'",
        )


class TestReferences:
    """What the definition of a server becomes when it is reached."""

    def test_w15_documented_references_work_without_an_allow_list(
        self, endpoint: Callable[..., Endpoint]
    ) -> None:
        """Also inside a longer text."""
        found = endpoint(
            {
                "url": "https://x.example/mcp",
                "headers": {"Authorization": "Bearer ${GITHUB_TOKEN}", "X-Other": "$GITHUB_TOKEN"},
            },
            {"GITHUB_TOKEN": "ghp_12345"},
        )
        assert asdict(found) == {
            "name": "s",
            "command": (),
            "env": {},
            "cwd": None,
            "url": "https://x.example/mcp",
            "headers": {"Authorization": "Bearer ghp_12345", "X-Other": "ghp_12345"},
            "timeout": 60.0,
            "secrets": ("Bearer ghp_12345", "ghp_12345"),
        }

    def test_program_gets_a_minimal_environment(
        self, endpoint: Callable[..., Endpoint], root: Path
    ) -> None:
        """What a shell needs, and what the definition says; nothing else of the user's."""
        found = endpoint(
            {
                "command": "./bin/server",
                "args": ["--root", "${workspaceFolder}/x", "$HOME", "a $HOME"],
                "env": {
                    "TOKEN": "${TOKEN}",
                    "LEVEL": "${LEVEL:-info}",
                    "NOTHING": "${EMPTY:-}",
                    "WHERE": "${userHome}:${env:PATH}",
                },
                "cwd": "sub",
            },
            {"TOKEN": "t0ken"},
        )
        assert asdict(found) == {
            "name": "s",
            "command": (f"{root}/bin/server", "--root", f"{root}/x", "/home/me", "a $HOME"),
            "env": {
                "HOME": "/home/me",
                "LANG": "C",
                "PATH": "/bin",
                "TOKEN": "t0ken",
                "LEVEL": "info",
                "NOTHING": "",
                "WHERE": "/home/me:/bin",
            },
            "cwd": f"{root}/sub",
            "url": None,
            "headers": {},
            "timeout": 60.0,
            "secrets": ("t0ken",),
        }

    def test_own_server_starts_from_the_own_folder(
        self, configured: Configured, root: Path
    ) -> None:
        """Its relative command is beside its file; it runs where the project is."""
        servers = configured({"home/mcp.json": {"mcpServers": {"s": {"command": "bin/x"}}}})
        found = servers.endpoint(servers.get("s"), lambda group, running: None)  # noqa: ARG005  # as Tell
        assert (found.command, found.cwd) == ((f"{root.parent}/home/bin/x",), str(root))

    def test_stored_secrets_and_the_output_of_commands(
        self, endpoint: Callable[..., Endpoint]
    ) -> None:
        """Dots may be in the name of the server, and in the key."""
        found = endpoint(
            {
                "command": "x",
                "args": ["--token=${KOSMO_SECRET:mcp.s.KEY}"],
                "env": {"A": "@secret:mcp.my.server.env.B"},
            },
            secrets='[mcp.s]\nKEY = "cmd:echo from-command"\n'
            '[mcp."my.server"]\n"env.B" = "from-file"\n',
        )
        assert found.command == ("x", "--token=from-command")
        assert found.env["A"] == "from-file"
        assert found.secrets == ("from-command", "from-file")

    def test_values_are_not_expanded_again(self, endpoint: Callable[..., Endpoint]) -> None:
        """What a variable holds is a value, whatever it looks like."""
        found = endpoint({"command": "x", "args": ["${A}"]}, {"A": "${HOME} @secret:mcp.s.k"})
        assert found.command == ("x", "${HOME} @secret:mcp.s.k")

    def test_what_is_secret_by_its_name_is_hidden_too(
        self, endpoint: Callable[..., Endpoint]
    ) -> None:
        """A token that is written out, in a header, a variable, an argument or an address."""
        found = endpoint(
            {
                "command": "x",
                "args": ["--api-key", "from-args", "--level", "visible", "--token=joined"],
                "env": {
                    "MY_TOKEN": "from-env",
                    "KEYS": "abc",
                    "NAME": "visible",
                    "PWD": "/visible",
                },
            }
        )
        assert found.secrets == ("from-args", "from-env", "joined")
        found = endpoint(
            {
                "command": "x",
                "args": ["--header", "Authorization: Bearer in-header", "https://u:in%2Durl@h"],
                "env": {"DATABASE_URL": "postgres://user:in-env@h/db", "GH_PAT": "a-pat"},
            }
        )
        assert found.secrets == (
            *("Bearer in-header", "u:in%2Durl", "in-header", "in%2Durl", "u:in-url"),
            *("in-env", "in-url", "a-pat"),
        )
        url = "https://x.example/mcp?apiKey=from%2Durl&page=visible&token=${T}"
        found = endpoint(
            {"url": url, "headers": {"Authorization": "Bearer abcd"}}, {"T": "by-name"}
        )
        assert found.secrets == ("Bearer abcd", "from%2Durl", "from-url", "by-name", "abcd")

    def test_no_secret_is_in_a_repr(self, endpoint: Callable[..., Endpoint]) -> None:
        """Nor what could be one."""
        entry = {"command": "x", "args": ["literal-arg"], "env": {"A": "literal-env"}}
        assert "literal" not in repr(endpoint(entry))

    @pytest.mark.parametrize(
        ("entry", "message", "hint"),
        [
            (
                {"command": "x", "env": {"A": "b ${NO_SUCH}"}},
                "env.A needs the variable NO_SUCH, which is not set",
                "Set it, or write ${NO_SUCH:-default}.",
            ),
            (
                {"command": "x", "args": ["$EMPTY"]},
                "args[0] needs the variable EMPTY, which is not set",
                "Set it, or write ${EMPTY:-default}.",
            ),
            (
                {"command": "x", "env": {"A": "@secret:mcp.s.KEY"}},
                "env.A needs the secret mcp.s.KEY, which is not stored",
                "Run: kosmo mcp:secret:set s KEY",
            ),
            (
                {"command": "x", "env": {"A": "@secret:segment.default.write_key"}},
                "env.A needs the secret 'segment.default.write_key'; such names are mcp.SERVER.KEY",
                None,
            ),
            (
                {"command": "x", "env": {"A": "${input:token}"}},
                "env.A has '${input:token}', which only VS Code can ask for",
                "Run kosmo mcp:secret:set s token, and write @secret:mcp.s.token there.",
            ),
            (
                {"command": "x", "env": {"A": "${A:-${HOME}}"}},
                "env.A has '${A:-${HOME}', which is no reference",
                "Write ${VAR}, ${VAR:-default} or ${KOSMO_SECRET:mcp.SERVER.KEY}.",
            ),
            (
                {"command": "x", "env": {"A": "${MY-TOKEN:-hunter2}"}},
                "env.A has '${MY-TOKEN:-********}', which is no reference",
                "Write ${VAR}, ${VAR:-default} or ${KOSMO_SECRET:mcp.SERVER.KEY}.",
            ),
            (
                {"url": "http://${HOST}/"},
                "url must start with https:// (http:// is for this machine only)",
                None,
            ),
            (
                {"url": "https://x.example", "headers": {"A": "${LINES}"}},
                "headers.A has characters that no header may have",
                None,
            ),
        ],
    )
    def test_what_is_missing_is_never_nothing(
        self, endpoint: Callable[..., Endpoint], entry: Any, message: str, hint: str | None
    ) -> None:
        """W14: the error names the server, the field and what it needs; no value is in it."""
        environ = {"HOST": "evil.example", "LINES": "a\r\nX-Injected: b"}
        assert refused(lambda: endpoint(entry, environ)) == (
            ConfigError,
            f"the MCP server s: {message}",
            hint,
        )


class _Memory(KeyringBackend):
    """A keyring for the length of a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:  # noqa: ARG002  # its signature
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:  # noqa: ARG002  # the same
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:  # noqa: ARG002  # the same
        del self.kept[username]


@pytest.fixture
def memory() -> Iterator[_Memory]:
    """Use a keyring of this test's own."""
    previous = keyring.get_keyring()
    memory = _Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(previous)


class TestKeyring:
    """Secrets in the system's keyring."""

    def test_secret_is_kept_there_used_and_forgotten(
        self, endpoint: Callable[..., Endpoint], memory: _Memory, tmp_path: Path
    ) -> None:
        """The file says only that it is there; another value takes its place, and leaves none behind."""
        entry = {"command": "x", "env": {"A": "@secret:mcp.s.KEY"}}
        file = tmp_path / "home/credentials.toml"
        file.parent.mkdir()
        secrets = Secrets(Config(str(file.parent)))
        secrets.store("s", "KEY", "s3cret", keyring=True)
        assert (memory.kept, secrets.kinds("s")) == ({"mcp.s.KEY": "s3cret"}, {"KEY": "keyring"})
        assert "s3cret" not in file.read_text()
        assert endpoint(entry, secrets=file.read_text()).env["A"] == "s3cret"
        secrets.store("s", "KEY", "in the file")
        assert (memory.kept, secrets.kinds("s")) == ({}, {"KEY": "file"})
        secrets.store("s", "KEY", "s3cret", keyring=True)
        secrets.forget("s", "KEY")
        assert (memory.kept, secrets.kinds("s")) == ({}, {})

    def test_missing_value_says_how_to_store_it(
        self, endpoint: Callable[..., Endpoint], memory: _Memory
    ) -> None:
        """Another machine has the file and not the keyring."""
        assert memory.kept == {}
        entry = {"command": "x", "env": {"A": "@secret:mcp.s.KEY"}}
        assert refused(lambda: endpoint(entry, secrets="[mcp.s]\nKEY = 'keyring:'\n")) == (
            ConfigError,
            "the MCP server s: env.A: the keyring has no KEY of the account s of mcp",
            "Store it again with kosmo mcp:secret:set s KEY --keyring",
        )
