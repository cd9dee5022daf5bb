"""kosmo mcp:serve, mcp:gateway:export and mcp:gateway:install as commands."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from coding_agent import alive
from conftest import COMMAND, Finished, poll
from envelopes import assert_fits
from pseudo_terminal import Terminal
from test_startup import TELL

from kosmo_lua.cli import cli
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import CODES, KosmoError

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]
Here = Callable[..., tuple[int, str, str | None]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """Run a command in this process, which is quicker; return exit status, sentence and hint."""
    monkeypatch.chdir(tmp_path)

    def here(*words: str) -> tuple[int, str, str | None]:
        with pytest.raises(KosmoError) as caught:
            cli.main([*words], prog_name="kosmo", standalone_mode=False)
        error = caught.value
        return CODES[error.code].exit_status, error.message, error.hint

    return here


def initialize() -> bytes:
    """Return the lines with which a client begins."""
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    return request(1, "initialize", hello) + line("notifications/initialized", {})


def request(number: int, method: str, params: Any) -> bytes:
    """Return a request as a line of the protocol."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(message).encode() + b"\n"


def line(method: str, params: Any) -> bytes:
    """Return a notification as a line of the protocol."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n"


def run_read(code: str) -> bytes:
    """Return the request that runs a script."""
    return request(2, "tools/call", {"name": "run_read", "arguments": {"code": code}})


# The stream


def test_stdout_has_the_protocol_only_and_end_of_stdin_is_the_end(
    start: Start, gateway_environ: dict[str, str]
) -> None:
    """The card: what a script prints is in its result and nowhere else; 0 at the end of stdin."""
    process = start("mcp:serve", stdin=subprocess.PIPE, env=gateway_environ)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(initialize() + b"this is no JSON\n" + run_read('print("here") dump({})'))
    process.stdin.flush()
    lines = [json.loads(process.stdout.readline()) for _ in range(2)]
    stdout, stderr = process.communicate(timeout=5)
    lines += [json.loads(each) for each in stdout.splitlines()]
    assert (process.returncode, stderr) == (0, b"")
    by_id = {each.get("id"): each for each in lines}
    assert by_id[1]["result"]["serverInfo"]["name"] == "kosmo"
    assert by_id[2]["result"]["structuredContent"]["output"] == "here\n{}"


@pytest.mark.parametrize("end", ["eof", "SIGTERM", "SIGINT", "SIGHUP"])
def test_end_in_the_middle_of_a_call_leaves_no_process(
    start: Start,
    gateway_environ: dict[str, str],
    services: Emulator,
    descendants: Callable[[int], set[int]],
    end: str,
) -> None:
    """The card: end of stdin, or a signal, ends the server with its scripts; nothing is sent afterwards."""
    services.reset()
    services.fault(delay=60)
    process = start("mcp:serve", stdin=subprocess.PIPE, env=gateway_environ)
    assert process.stdin is not None
    code = "while true do pcall(app.integrations.segment.get_current_user) end"
    process.stdin.write(initialize() + run_read(code))
    process.stdin.flush()
    poll(lambda: services.stats().requests)
    below = descendants(process.pid)
    assert len(below) == 2  # the server of processes, and the script's
    if end == "eof":
        process.stdin.close()
    else:
        process.send_signal(getattr(signal, end))
    statuses = {"eof": 0, "SIGTERM": 143, "SIGINT": 130, "SIGHUP": 129}
    assert process.wait(timeout=2) == statuses[end]
    poll(lambda: not alive(below))
    assert sum(services.stats().requests.values()) == 1
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_first_answer_waits_for_no_integration(tmp_path: Path) -> None:
    """Ours: initialize is answered as soon as the SDK is there."""
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", TELL, "mcp:serve"],
        cwd=tmp_path,
        input=initialize(),
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert json.loads(done.stdout)["id"] == 1
    (file,) = tmp_path.glob("modules-*")
    loaded = set(file.read_text().split())
    assert not loaded & {"kosmo_segment", "kosmo_posthog", "lupa", "kosmo_lua.gateway.http"}


def test_closed_stdin_is_the_end(tmp_path: Path) -> None:
    """Ours: there is no client."""
    command = ["sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, "mcp:serve"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=20, check=False)  # noqa: S603  # our own command
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_client_that_reads_no_more_ends_it(start: Start) -> None:
    """Ours: the family's exit status for a closed stdout."""
    process = start("mcp:serve", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(initialize())
    process.stdin.close()
    assert (process.wait(timeout=20), process.stderr.read()) == (141, b"")


def test_person_at_a_terminal_is_told_what_it_is_for(terminal: Terminal) -> None:
    """Ours: who starts it by hand would else look at nothing."""
    process = terminal.run(command="mcp:serve")
    terminal.wait_for("for a client that starts it; Ctrl-C stops it.")
    terminal.wait_for("hint: kosmo mcp:gateway:install --help")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130


def test_gateway_is_no_server_of_its_own(kosmo: Kosmo) -> None:
    """Upstream: the self-proxy guard."""
    done = kosmo("mcp:serve", env={"KOSMO_GATEWAY": "1"})
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr == (
        "error: this gateway was started by a gateway, as one of its own MCP servers\n"
        "hint: Remove the server whose command is `kosmo mcp:serve`.\n"
    )


def test_unknown_names_are_said_before_anything_is_served(kosmo: Kosmo) -> None:
    """Ours: a client would show a server without tools."""
    done = kosmo("mcp:serve", "--integration", "posthg")
    assert (done.status, done.stdout) == (65, "")
    assert done.stderr.startswith("error: unknown integration posthg. Did you mean: posthog?\n")
    done = kosmo("mcp:serve", "--upstream", "nothing")
    assert (done.status, done.stdout) == (65, "")
    assert done.stderr.startswith("error: unknown MCP server nothing\n")


@pytest.mark.parametrize(
    "option", ["--integration", "--integrations", "--upstream", "--upstreams"]
)
@pytest.mark.parametrize("value", ["", " , "])
@pytest.mark.parametrize(
    "command", ["mcp:serve", "mcp:gateway:export", "mcp:gateway:install claude"]
)
def test_empty_list_does_not_offer_everything(
    here: Here, tmp_path: Path, command: str, option: str, value: str
) -> None:
    """Ours: a variable that is not set would else give an agent all that there is."""
    status, sentence, hint = here(*command.split(), option, value)
    assert (status, sentence) == (2, f"{option} names nothing that could be offered")
    assert hint == "Is a variable not set? Without the option everything is offered."
    assert not (tmp_path / ".mcp.json").exists()


def test_json_without_http_is_a_usage_error(kosmo: Kosmo) -> None:
    """Ours: stdout is the protocol's, or a document's."""
    done = kosmo("mcp:serve", "--json")
    assert (done.status, done.json()["error_info"]["code"]) == (2, "usage")
    assert_fits("mcp:serve", done.json())


def test_without_the_extra_the_error_names_what_installs_it(kosmo: Kosmo, tmp_path: Path) -> None:
    """Ours: the family's extra_missing."""
    tmp_path.joinpath("hide.py").write_text(
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'mcp' else find(name, *rest)\n"
        "sys.argv = ['kosmo', 'mcp:serve']\n"
        "from kosmo_lua.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "hide.py"], cwd=tmp_path, capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 78
    assert done.stderr.decode() == (
        "error: MCP needs the package mcp, which is not installed.\n"
        'hint: pip install "kosmo-lua[mcp]"\n'
    )
    del kosmo


# The configuration of clients


def entry(*flags: str) -> dict[str, Any]:
    """Return the entry of the gateway."""
    return {"command": sys.executable, "args": ["-m", "kosmo_lua", "mcp:serve", *flags]}


def test_export_prints_what_most_clients_read(kosmo: Kosmo) -> None:
    """Upstream: mcp:gateway:export; with the flags given, and none that was not."""
    assert kosmo("mcp:gateway:export").json() == {"mcpServers": {"kosmo": entry()}}
    flags = ("--expose", "tools", "--write", "deny", "--integration", "segment", "--emulator")
    more = ("--integrations", "posthog,segment", "--max-result-chars", "5000", "--timeout", "60.0")
    done = kosmo("mcp:gateway:export", "--name", "saas", *flags, *more)
    exported = done.json()["mcpServers"]["saas"]
    assert exported["command"] == sys.executable
    assert sorted(exported["args"][3:]) == sorted((*flags, *more))


def test_export_for_vs_code_has_its_form(kosmo: Kosmo) -> None:
    """Upstream: --format vscode."""
    done = kosmo("mcp:gateway:export", "--format", "vscode", "--json")
    assert_fits("mcp:gateway:export", done.json())
    assert done.json()["format"] == "vscode"
    assert done.json()["config"] == {"servers": {"kosmo": {"type": "stdio", **entry()}}}


FILES = {
    "claude": (".mcp.json", "mcpServers"),
    "cursor": (".cursor/mcp.json", "mcpServers"),
    "vscode": (".vscode/mcp.json", "servers"),
}


@pytest.mark.parametrize("client", FILES)
def test_install_writes_the_file_of_the_client_and_keeps_the_rest(
    kosmo: Kosmo, tmp_path: Path, client: str
) -> None:
    """Upstream: mcp:gateway:install; whatever else is in the file stays."""
    name, key = FILES[client]
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    other = {"inputs": [1], key: {"other": {"command": "x"}}}
    file.write_text(json.dumps(other))
    done = kosmo("mcp:gateway:install", client, "--write", "deny", "--json")
    assert_fits("mcp:gateway:install", done.json())
    assert (done.json()["path"], done.json()["changed"]) == (str(file), True)
    kind = {"type": "stdio"} if client == "vscode" else {}
    own = {**kind, **entry("--write", "deny")}
    assert json.loads(file.read_text()) == {
        "inputs": [1],
        key: {"other": {"command": "x"}, "kosmo": own},
    }
    assert not kosmo("mcp:gateway:install", client, "--write", "deny", "--json").json()["changed"]


def test_install_makes_a_file_that_is_not_there(kosmo: Kosmo, tmp_path: Path) -> None:
    """Ours: a new project."""
    done = kosmo("mcp:gateway:install", "vscode")
    file = tmp_path / ".vscode" / "mcp.json"
    assert done.stdout == f"{file}: VS Code starts kosmo as kosmo.\n"
    assert json.loads(file.read_text()) == {"servers": {"kosmo": {"type": "stdio", **entry()}}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_install_replaces_another_entry_only_with_force(kosmo: Kosmo, tmp_path: Path) -> None:
    """The card: nothing of the user's is lost."""
    file = tmp_path / ".mcp.json"
    file.write_text('{"mcpServers": {"kosmo": {"command": "mine"}}}')
    done = kosmo("mcp:gateway:install", "claude")
    assert done.status == 78
    assert done.stderr == (
        f"error: {file} has another server of the name kosmo\n"
        "hint: Replace it with --force, or choose another --name.\n"
    )
    assert json.loads(file.read_text())["mcpServers"]["kosmo"] == {"command": "mine"}
    assert kosmo("mcp:gateway:install", "claude", "--force").status == 0
    assert json.loads(file.read_text())["mcpServers"]["kosmo"] == entry()


def test_install_never_follows_a_link(kosmo: Kosmo, tmp_path: Path) -> None:
    """The card: a cloned repository could lead it to any file of the user."""
    target = tmp_path / "target.json"
    target.write_text("{}")
    (tmp_path / ".mcp.json").symlink_to(target)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".cursor").symlink_to(elsewhere)
    for client in ("claude", "cursor"):
        done = kosmo("mcp:gateway:install", client)
        assert done.status == 78
        assert done.stderr.endswith(" is a link\n")
    assert target.read_text() == "{}"
    assert [*elsewhere.iterdir()] == []


@pytest.mark.parametrize("text", ["{", "[]", '{"servers": []}', '{"servers": {} /* mine */}'])
def test_install_leaves_a_file_that_it_cannot_change(
    kosmo: Kosmo, tmp_path: Path, text: str
) -> None:
    """Ours: what is broken, or has comments, is for its owner to edit."""
    file = tmp_path / ".vscode" / "mcp.json"
    file.parent.mkdir()
    file.write_text(text)
    assert kosmo("mcp:gateway:install", "vscode").status == 78
    assert file.read_text() == text


def test_install_for_the_user_writes_the_clients_own_file(kosmo: Kosmo, tmp_path: Path) -> None:
    """Upstream: --global."""
    home = {"HOME": str(tmp_path / "me"), "XDG_CONFIG_HOME": ""}
    done = kosmo("mcp:gateway:install", "cursor", "--global", "--json", env=home)
    assert done.json()["path"] == str(tmp_path / "me" / ".cursor" / "mcp.json")
    done = kosmo("mcp:gateway:install", "claude", "--global", env=home)
    assert done.status == 78
    assert f"claude mcp add --scope user kosmo -- {sys.executable} -m" in done.stderr


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--integration", "unknown integration nope. Installed: posthog, segment."),
        ("--upstream", "unknown MCP server nope"),
    ],
)
def test_install_refuses_what_could_not_be_served(
    kosmo: Kosmo, tmp_path: Path, option: str, sentence: str
) -> None:
    """Ours: a client would only tell that kosmo has ended."""
    done = kosmo("mcp:gateway:install", "claude", option, "nope", "--json")
    assert (done.status, done.json()["error"]) == (65, sentence)
    assert not (tmp_path / ".mcp.json").exists()
