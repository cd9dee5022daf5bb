"""A project's MCP server is trusted by the user alone, as it was seen, and until it changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kosmo_lua.config import Config
from kosmo_lua.errors import ConfigError, Untrusted
from kosmo_lua.mcp.server import Server
from kosmo_lua.mcp.servers import Servers
from kosmo_lua.mcp.trust import Trust, fingerprint

ENTRY: dict[str, Any] = {
    "command": "npx",
    "args": ["-y", "server"],
    "env": {"TOKEN": "${TOKEN}", "LEVEL": "info"},
    "cwd": "sub",
}
WEB: dict[str, Any] = {"url": "https://x.example/mcp", "headers": {"A": "b"}}

Define = Callable[..., Server]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a project."""
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def config(home: Path, root: Path) -> Config:
    """The configuration of the user, in the project."""
    return Config(str(home), None, str(root))


@pytest.fixture
def define(config: Config, root: Path) -> Define:
    """Define the server `my server` of the project, and return it."""

    def define(entry: Any) -> Server:
        document = {"mcpServers": {"my server": entry}}
        (root / ".mcp.json").write_text(json.dumps(document), encoding="utf-8")
        return Servers(config, {}).find("my_server")

    return define


def refused(trust: Trust, server: Server) -> tuple[str, str | None]:
    """Return why a server may not be started."""
    with pytest.raises(Untrusted) as caught:
        trust.check(server)
    return caught.value.message, caught.value.hint


def test_server_of_a_project_is_not_trusted_before_the_user_says_so(
    config: Config, define: Define, root: Path
) -> None:
    """The error says what to read, and what to run then."""
    trust, server = Trust(config, {}), define(ENTRY)
    hint = f"Review {root / '.mcp.json'}, then run: kosmo mcp:trust 'my server'"
    assert trust.state(server) == "untrusted"
    assert refused(trust, server) == (
        "the project's MCP server my server is not trusted",
        hint,
    )
    trust.grant(server)
    assert trust.state(server) == "trusted"
    trust.check(server)
    trust.revoke(server)
    assert trust.state(server) == "untrusted"


def test_trust_is_kept_in_the_users_file_with_all_else_in_it(
    config: Config, define: Define, root: Path, home: Path
) -> None:
    """A fingerprint below the path of the project; comments stay."""
    (home / "config.toml").write_text("# mine\nallow_force = true # yes\n")
    server = define(ENTRY)
    Trust(config, {}).grant(server)
    assert (home / "config.toml").read_text() == (
        f'# mine\nallow_force = true # yes\n\n[mcp.trust."{root}"]\n'
        f'"my server" = "{fingerprint(server)}"\n'
    )
    assert Trust(Config(str(home), None, str(root)), {}).state(server) == "trusted"
    Trust(config, {}).revoke(server)
    assert "sha256" not in (home / "config.toml").read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ENTRY, {**ENTRY, "command": "npm"}),
        (ENTRY, {**ENTRY, "args": ["-y", "server", ""]}),
        (ENTRY, {**ENTRY, "args": ["-y server"]}),
        (ENTRY, {**ENTRY, "env": {"TOKEN": "${OTHER}", "LEVEL": "info"}}),
        (ENTRY, {**ENTRY, "env": {"TOKEN": "${TOKEN}"}}),
        (ENTRY, {**ENTRY, "env": {**ENTRY["env"], "LD_PRELOAD": "./x.so"}}),
        (ENTRY, {**ENTRY, "cwd": "other"}),
        (ENTRY, WEB),
        (WEB, {**WEB, "url": "https://x.example/mcp2"}),
        (WEB, {**WEB, "headers": {"A": "${SECRET}"}}),
    ],
)
def test_change_of_what_would_run_ends_trust(
    config: Config, define: Define, before: Any, after: Any
) -> None:
    """The command, its arguments, variables and folder; the address, and the headers."""
    trust = Trust(config, {})
    trust.grant(define(before))
    server = define(after)
    assert trust.state(server) == "changed"
    message, _ = refused(trust, server)
    assert message == "the project's MCP server my server has changed since it was trusted"


@pytest.mark.parametrize(
    "after",
    [
        {"enabled": False, **ENTRY},
        {**ENTRY, "timeout": 5},
        {**ENTRY, "env": dict(reversed(ENTRY["env"].items()))},
    ],
)
def test_other_changes_do_not(config: Config, define: Define, after: Any) -> None:
    """Whether it is enabled, how long an answer may take, the order of variables."""
    trust = Trust(config, {})
    trust.grant(define(ENTRY))
    assert trust.state(define(after)) == "trusted"


def test_trust_holds_for_one_project(
    config: Config, define: Define, home: Path, tmp_path: Path
) -> None:
    """The same server of another clone is another one: its command may be a file of that clone."""
    Trust(config, {}).grant(define(ENTRY))
    other = tmp_path / "other"
    other.mkdir()
    (other / ".mcp.json").write_text(json.dumps({"mcpServers": {"my server": ENTRY}}))
    elsewhere = Config(str(home), None, str(other))
    server = Servers(elsewhere, {}).find("my server")
    assert Trust(elsewhere, {}).state(server) == "untrusted"


def test_own_servers_need_no_trust(config: Config, home: Path) -> None:
    """Whoever can write them can run anything already."""
    (home / "mcp.json").write_text(json.dumps({"mcpServers": {"mine": ENTRY}}))
    server, trust = Servers(config, {}).get("mine"), Trust(config, {})
    trust.check(server)
    trust.grant(server)
    assert (trust.state(server), (home / "config.toml").exists()) == ("own", False)


def test_projects_server_of_the_name_of_an_own_one_is_not_trusted(
    config: Config, define: Define, home: Path
) -> None:
    """It wins, as in other clients, and it is not run before somebody has seen it."""
    (home / "mcp.json").write_text(json.dumps({"mcpServers": {"my server": ENTRY}}))
    assert Trust(config, {}).state(define(ENTRY)) == "untrusted"


def test_w2_a_cloned_repository_cannot_trust_itself(
    config: Config, define: Define, root: Path, home: Path
) -> None:
    """Upstream read trust, permission and force from the project's own files."""
    server = define({**ENTRY, "trust": fingerprint(define(ENTRY)), "trusted": True, "force": True})
    table = (
        f'[mcp]\nforce_trust = true\n[mcp.trust."{root}"]\n"my server" = "{fingerprint(server)}"\n'
    )
    (root / "config.toml").write_text(table)
    (root / ".kosmo").mkdir()
    (root / ".kosmo" / "config.toml").write_text(table)
    assert Trust(config, {}, forced=True).state(server) == "untrusted"
    refused(Trust(config, {}, forced=True), server)
    project = root / "kosmo.toml"
    project.write_text(table)
    cloned = Config(str(home), str(project), str(root))
    refused(Trust(cloned, {}, forced=True), server)
    with pytest.raises(ConfigError) as caught:
        cloned.check()
    message = f"{project}: a project cannot set mcp: it would come with every clone"
    assert (caught.value.message, caught.value.hint) == (message, "Use kosmo mcp:trust.")


@pytest.mark.parametrize(
    ("text", "environ", "lifted"),
    [
        ("", {}, False),
        ("[mcp]\nforce_trust = true\n", {}, True),
        ("[mcp]\nforce_trust = false\n", {}, False),
        ("", {"KOSMO_MCP_ALLOW_FORCE": "1"}, True),
        ("", {"KOSMO_MCP_ALLOW_FORCE": "0"}, False),
    ],
)
def test_force_lifts_trust_only_where_the_user_says_so(  # noqa: PLR0917  # the case
    config: Config,
    define: Define,
    home: Path,
    text: str,
    environ: dict[str, str],
    lifted: bool,  # noqa: FBT001  # the same
) -> None:
    """W20: elsewhere it is no error, and does nothing to trust."""
    (home / "config.toml").write_text(text)
    server, forced = define(ENTRY), Trust(config, environ, forced=True)
    if lifted:
        forced.check(server)
    else:
        refused(forced, server)
    refused(Trust(config, environ), server)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[mcp]\ntrusted = 1", "unknown key mcp.trusted: did you mean trust?"),
        ('[mcp]\nforce_trust = "yes"', "mcp.force_trust must be true or false"),
        ("mcp = 1", "mcp must be a table, [mcp]"),
        ("[mcp]\ntrust = true", "mcp.trust must be a table of projects"),
        ('[mcp.trust]\nx = "sha256:1"', "mcp.trust has a table for each project"),
        ('[mcp.trust."/x"]\ny = "sha256:1"', "mcp.trust of 'y' is no fingerprint"),
    ],
)
def test_mistake_in_the_users_file_is_said(
    config: Config, define: Define, home: Path, text: str, problem: str
) -> None:
    """No server of a project is trusted meanwhile."""
    (home / "config.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        Trust(config, {}).check(define(ENTRY))
    assert caught.value.message == f"{home / 'config.toml'}: {problem}"


def test_without_a_folder_nothing_is_trusted(define: Define) -> None:
    """There is nowhere to keep it."""
    trust, server = Trust(Config(), {}), define(ENTRY)
    refused(trust, server)
    with pytest.raises(ConfigError) as caught:
        trust.grant(server)
    assert caught.value.hint == "Set KOSMO_HOME to a folder of your own."
