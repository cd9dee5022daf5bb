"""The commands that look at MCP servers and call their tools, with a server over HTTP."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Finished, stable
from envelopes import assert_fits
from library_server import Library, define

Kosmo = Callable[..., Finished]
Complete = Callable[[str], list[str]]

ADD = {"a": 1, "b": 2}
META = {
    "run_id": "RUN",
    "waited_ms": 0.0,
    "permission_bypassed": False,
    "dry_run": False,
    "calls": {"total": 1, "reads": 1, "writes": 0, "failed": 0, "unknown": 0, "wrote": 0},
}
GONE = "the MCP server gone cannot be reached at 127.0.0.1:9: Connection refused"
START_IT = "Check the address of the server, and that it is running."


@pytest.fixture
def beside(library: Library, home: Path, tmp_path: Path) -> Path:
    """Define servers that cannot be used beside the library; return the file that one would write."""
    started = tmp_path / "started"
    gone = {"url": "http://127.0.0.1:9/mcp"}
    off = {"command": "touch", "args": [str(started)], "enabled": False}
    define(home / "mcp.json", library={"url": library.url}, gone=gone, off=off)
    define(tmp_path / ".mcp.json", clone={"command": "touch", "args": [str(started)]})
    return started


def shown(command: str, finished: Finished) -> Any:
    """Return the envelope of a success, without what differs from run to run."""
    assert (finished.status, finished.stderr) == (0, "")
    document = finished.json()
    assert_fits(command, document)
    return stable(document)


def refused(command: str, finished: Finished) -> tuple[int, str, str, str | None]:
    """Return the exit status of a failure, its code, its sentence, and what to do."""
    document = finished.json()
    assert_fits(command, document)
    assert (document["success"], finished.stderr) == (False, "")
    info = document["error_info"]
    return finished.status, info["code"], document["error"], info["hint"]


def call_of(function: str, data: object, access: str = "read", effect: str = "sent") -> Any:
    """Return the envelope of a call that has succeeded."""
    log: dict[str, object] = {
        "function": function,
        "account": "default",
        "access": access,
        "effect": effect,
        "status": None,
        "attempts": 1 if effect == "sent" else 0,
        "duration_ms": 1.0,
        "error": None,
        "retries": [],
        "events": None,
    }
    return {
        "schema_version": 1,
        "success": True,
        "function": function,
        "account": "default",
        "data": data,
        "error": None,
        "error_info": None,
        "warnings": [],
        "execution_time_ms": 1.0,
        "call_log": [log],
        "meta": META,
    }


def facts(**parts: object) -> Any:
    """Return the envelope of an answer that is no call."""
    return {
        "schema_version": 1,
        "success": True,
        **parts,
        "error": None,
        "error_info": None,
        "warnings": [],
    }


# What there is


def test_status_says_what_is_known(here: Kosmo, beside: Path, home: Path, tmp_path: Path) -> None:
    """Ours: of servers in every state; none is contacted."""

    def state(name: str, kind: str, *, enabled: bool = True, trust: str = "own") -> Any:
        source = tmp_path / ".mcp.json" if trust == "untrusted" else home / "mcp.json"
        facts = {"name": name, "server": name, "type": kind, "enabled": enabled, "trust": trust}
        return {**facts, "tools": None, "source": str(source)}

    assert shown("mcp:status", here("mcp:status", "--json")) == facts(
        servers=[
            state("clone", "stdio", trust="untrusted"),
            state("gone", "http"),
            state("library", "http"),
            state("off", "stdio", enabled=False),
        ]
    )
    assert not beside.exists()


def test_doctor_says_of_each_server_what_comes_next(
    here: Kosmo, beside: Path, home: Path, tmp_path: Path
) -> None:
    """Ours: it contacts those that it may; each command that it names is one."""
    project = tmp_path / ".mcp.json"

    def found(state: str, message: str, tools: int | None, *commands: str) -> Any:
        facts = {"state": state, "message": message, "tools": tools, "duration_ms": 1.0}
        return {**facts, "next_commands": [*commands]}

    document = shown("mcp:doctor", here("mcp:doctor", "--json"))
    unasked = f"A project defines it, in {project}, and nobody has approved of that."
    off = f"It is disabled in {home / 'mcp.json'}."
    again = ("kosmo mcp:list", "kosmo mcp:doctor gone")
    assert document == facts(
        servers={
            "clone": found("untrusted", unasked, None, "kosmo mcp:trust clone"),
            "gone": found("failed", f"{GONE}. {START_IT}", None, *again),
            "library": found("works", "It has answered: 16 tools.", 16, "kosmo mcp:tools library"),
            "off": found("disabled", off, None, "kosmo mcp:enable off"),
        }
    )
    assert not beside.exists()
    for each in document["servers"].values():
        for command in each["next_commands"]:
            assert here(*shlex.split(command)[1:]).status in (0, 77), command


def test_doctor_says_that_a_server_has_changed(
    here: Kosmo, library: Library, tmp_path: Path
) -> None:
    """Ours: it was approved of once, so that is not what is wrong."""
    here("mcp:add", "web", library.url)
    define(tmp_path / ".mcp.json", web={"url": "http://127.0.0.1:9/mcp"})
    document = shown("mcp:doctor", here("mcp:doctor", "web", "--json"))
    why = f"A project defines it, in {tmp_path / '.mcp.json'}, and it has changed since it was trusted."
    assert document["servers"]["web"]["message"] == why


def test_tools_are_listed_and_each_failure_costs_only_itself(
    here: Kosmo, beside: Path, tmp_path: Path
) -> None:
    """Ours: a warning says what to do for each server that has not told its tools."""
    finished = here("mcp:tools", "--json")
    document = finished.json()
    assert_fits("mcp:tools", document)
    library = document["servers"].pop("library")
    review = f"Review {tmp_path / '.mcp.json'}, then run: kosmo mcp:trust clone"
    clone = f"the project's MCP server clone is not trusted. {review}"
    gone = f"{GONE}. {START_IT}"
    assert document == {
        **facts(
            servers={
                "clone": {"title": "clone", "tools": [], "error": clone},
                "gone": {"title": "gone", "tools": [], "error": gone},
            }
        ),
        "warnings": [clone, gone],
    }
    assert (library["title"], library["error"], len(library["tools"])) == (
        "The library",
        None,
        16,
    )
    add = {"function": "mcp.library.add", "access": "read", "summary": "Add two numbers."}
    assert library["tools"][0] == add
    assert not beside.exists()


@pytest.mark.usefixtures("library")
def test_schema_is_that_of_the_tool(here: Kosmo) -> None:
    """Ours: by any of its names; it is listed once, and then known."""
    number = {"type": "number"}
    expected = facts(
        function="mcp.library.add",
        schema={
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "mcp.library.add",
            "type": "object",
            "properties": {"a": number, "b": number},
            "required": ["a", "b"],
        },
    )
    for name in ("library.add", "app.mcp.library.add"):
        assert shown("mcp:schema", here("mcp:schema", name, "--json")) == expected


@pytest.mark.parametrize("name", ["mcp.shelf.add", "app.mcp.shelf.add"])
def test_a_server_of_the_project_is_known_to_the_docs_and_to_the_audit_log(
    name: str, here: Kosmo, library: Library, tmp_path: Path
) -> None:
    """Ours: every command stands where the script stands, and takes each spelling."""
    define(tmp_path / ".mcp.json", shelf={"url": library.url})
    here("mcp:trust", "shelf", "--yes")
    shown("call", here("mcp:call", "shelf.add", json.dumps(ADD), "--json"))
    for command in ("docs", "schema", "examples"):
        done = here(f"integrations:{command}", name)
        assert (done.status, done.stderr) == (0, "")
    (call,) = shown("audit", here("audit", "--function", name, "--json"))["calls"]
    assert call["function"] == "mcp.shelf.add"


# Calls


@pytest.mark.usefixtures("library")
def test_ways_to_call_a_tool_are_the_same_call(here: Kosmo) -> None:
    """Ours: flags, a JSON object, JSON on stdin, and the short form."""
    payload = json.dumps(ADD)
    flags = ("--a", "1", "--b", "2")
    done = [
        here("mcp:call", "library.add", *flags, "--json"),
        here("mcp:call", "mcp.library.add", payload, "--json"),
        here("mcp:call", "library.add", "-", "--json", stdin=payload.encode()),
        here("mcp:library", "add", *flags, "--json"),
    ]
    expected = call_of("mcp.library.add", {"sum": 3})
    assert [shown("call", each) for each in done] == [expected] * 4


def test_write_needs_force_or_is_only_shown(here: Kosmo, library: Library) -> None:
    """Ours: as for integrations."""
    command = ("mcp:call", "library.note", "--text", "a", "--json")
    needs = "a write to mcp.library needs approval, and there was nobody to ask"
    assert refused("call", here(*command)) == (
        77,
        "approval_required",
        f"mcp.library.note: {needs}",
        f"Allow it with kosmo {shlex.join(command)} --force, or set KOSMO_MCP_LIBRARY_WRITE=allow.",
    )
    request = {"method": "tools/call", "url": "mcp.library", "headers": {}}
    body = {"name": "note", "arguments": {"text": "a"}}
    calls = {**META["calls"], "reads": 0, "writes": 1}  # type: ignore[dict-item]  # it is a table
    planned = call_of("mcp.library.note", {"request": {**request, "body": body}}, "write", "none")
    planned["meta"] = {**META, "permission_bypassed": True, "dry_run": True, "calls": calls}
    assert shown("call", here(*command, "--force", "--dry-run")) == planned
    assert library.notes == []
    written = call_of("mcp.library.note", "noted", "write")
    written["meta"] = {**META, "permission_bypassed": True, "calls": {**calls, "wrote": 1}}
    assert shown("call", here(*command, "--force")) == written
    assert library.notes == ["a"]


LISTED = "List them: kosmo mcp:list --all"


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize(
    ("words", "status", "code", "sentence", "hint"),
    [
        (["library.add", '{"a": 1}'], 65, "invalid_arguments", "b is required", None),
        (["library.ad"], 65, "unknown_function", "Did you mean: add?", "mcp:tools"),
        (
            ["library"],
            65,
            "unknown_function",
            "mcp.library is an MCP server, not a tool.",
            "tools",
        ),
        (["libary.add"], 65, "unknown_integration", "Did you mean: library?", LISTED),
        (["library.fail", "--reason", "no book"], 69, "service_error", "error: no book", None),
        (["clone.x"], 77, "untrusted", "MCP server clone is not trusted", "kosmo mcp:trust clone"),
        (["gone.x"], 69, "unreachable", GONE, START_IT),
        (["off.x"], 77, "denied", "off is disabled", "kosmo mcp:enable off"),
        (["library.add", "{"], 65, "invalid_arguments", "not valid JSON", "Write it like"),
        (["library.add", "--c", "1"], 2, "usage", "No such option '--c'", "--help"),
        ([], 2, "usage", "Missing argument 'FUNCTION'", "Try 'kosmo mcp:call --help'."),
    ],
)
def test_call_that_fails_says_why(  # noqa: PLR0917  # a table
    here: Kosmo, words: list[str], status: int, code: str, sentence: str, hint: str | None
) -> None:
    """Ours: one document, with the exit status of its code and what to do."""
    failure = refused("call", here("mcp:call", *words, "--json"))
    assert failure[:2] == (status, code)
    assert sentence in failure[2]
    assert failure[3] is None if hint is None else hint in (failure[3] or "")


def test_missing_variable_is_named(here: Kosmo, library: Library, home: Path) -> None:
    """Ours: never sent as an empty text."""
    headers = {"Authorization": "Bearer ${LIBRARY_TOKEN}"}
    define(home / "mcp.json", library={"url": library.url, "headers": headers})
    assert refused("call", here("mcp:call", "library.add", json.dumps(ADD), "--json")) == (
        78,
        "config_error",
        "the MCP server library: headers.Authorization needs the variable LIBRARY_TOKEN, which is not set",
        "Set it, or write ${LIBRARY_TOKEN:-default}.",
    )


# Resources and prompts


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("words", "function", "data"),
    [
        (
            ["mcp:resources", "library"],
            "resources/list",
            [
                {
                    "name": "shelf",
                    "title": "The shelf",
                    "uri": "library://shelf",
                    "mime_type": "text/plain",
                },
                {
                    "name": "cover",
                    "uri": "library://cover",
                    "mime_type": "application/octet-stream",
                },
                {"name": "book", "uri_template": "library://books/{title}"},
            ],
        ),
        (
            ["mcp:resource", "library", "library://books/Momo"],
            "resources/read",
            [
                {
                    "uri": "library://books/Momo",
                    "mime_type": "text/plain",
                    "text": "This is books/Momo.",
                }
            ],
        ),
        (
            ["mcp:prompts", "library"],
            "prompts/list",
            [
                {
                    "name": "review",
                    "description": "Asks for a review of a book.",
                    "arguments": [
                        {"name": "title", "description": "Of the book.", "required": True},
                        {"name": "tone"},
                    ],
                },
                {"name": "hello"},
            ],
        ),
        (
            ["mcp:prompt", "library", "review", '{"title": "Momo"}'],
            "prompts/get",
            {
                "description": "A review.",
                "messages": [
                    {
                        "role": "user",
                        "content": {
                            "type": "text",
                            "text": "Please review Momo in a kind tone.",
                        },
                    }
                ],
            },
        ),
    ],
)
def test_what_a_server_offers_beside_tools(
    here: Kosmo, words: list[str], function: str, data: object
) -> None:
    """Ours: each is a call, in the envelope of a call."""
    assert shown("call", here(*words, "--json")) == call_of(f"mcp.library.{function}", data)


@pytest.mark.usefixtures("library")
def test_a_denied_resource_names_the_command_that_lifts_it(
    here: Kosmo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: --force, as for every command that calls."""
    monkeypatch.setenv("KOSMO_MCP_LIBRARY_READ", "deny")
    status, code, _, hint = refused("call", here("mcp:resources", "library", "--json"))
    command = "kosmo mcp:resources library --json --force"
    wanted = f"Allow it with {command}, or set KOSMO_MCP_LIBRARY_READ=allow."
    assert (status, code, hint) == (77, "denied", wanted)


@pytest.mark.usefixtures("library")
def test_unknown_resource_is_the_servers_refusal(here: Kosmo) -> None:
    """Ours: with a hint that fits resources, too."""
    assert refused("call", here("mcp:resource", "library", "library://x", "--json")) == (
        65,
        "invalid_arguments",
        (
            "mcp.library.resources/read: the MCP server library refused the request: "
            "Unknown resource: library://x (-32602)"
        ),
        "Look at what the server lists: the name, or what it takes, may have changed.",
    )


@pytest.mark.usefixtures("library")
def test_arguments_of_a_prompt_are_json(here: Kosmo) -> None:
    """Ours: it has no flags, and the hint promises none."""
    failure = refused("call", here("mcp:prompt", "library", "review", "[]", "--json"))
    assert failure == (
        65,
        "invalid_arguments",
        "the payload must be a JSON object, got a list",
        """Write it like '{"name": "value"}'; kosmo mcp:prompts library has the names.""",
    )


# Scripts


@pytest.mark.usefixtures("library")
def test_script_has_servers_and_no_integrations(kosmo: Kosmo) -> None:
    """Ours: and is told where they are."""
    code = "print(#docs.list() > 0) return app.mcp.library.add(1, 2).sum, mcp.servers()[1].name"
    document = shown("lua", kosmo("mcp:lua", "--eval", code, "--json"))
    assert (document["output"], document["result"]) == ("true", [3, "library"])
    other = kosmo("mcp:lua", "--eval", "app.integrations.segment.track{}", "--json")
    assert refused("lua", other) == (
        65,
        "unknown_integration",
        "eval:1: unknown integration segment. Installed: none.",
        "There are none here: kosmo integrations:lua has them, kosmo mcp:lua has not.",
    )


@pytest.mark.parametrize("command", ["integrations:lua", "mcp:lua"])
def test_w20_servers_do_not_stop_a_forced_run(
    kosmo: Kosmo, library: Library, beside: Path, tmp_path: Path, command: str
) -> None:
    """W20: upstream aborts without JSON as soon as one server is enabled; --force is not about trust."""
    workflow = tmp_path / "wf.lua"
    workflow.write_text('return app.mcp.library.note{text = "forced"}', encoding="utf-8")
    document = shown("lua", kosmo(command, "wf.lua", "--force", "--json"))
    assert (document["result"], document["warnings"]) == ("noted", [])
    assert document["meta"]["permission_bypassed"] is True
    workflow.write_text("return app.mcp.clone.x{}", encoding="utf-8")
    assert refused("lua", kosmo(command, "wf.lua", "--force", "--json")) == (
        77,
        "untrusted",
        "wf.lua:1: the project's MCP server clone is not trusted",
        f"Review {tmp_path / '.mcp.json'}, then run: kosmo mcp:trust clone",
    )
    assert library.notes == ["forced"]
    assert not beside.exists()


# The command line


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mcp:status a b", "Got unexpected extra argument (b)"),
        ("mcp:doctor --refresh", "No such option '--refresh'"),
        ("mcp:tools a b", "Got unexpected extra argument (b)"),
        ("mcp:schema", "Missing argument 'TOOL'."),
        ("mcp:resources", "Missing argument 'SERVER'."),
        ("mcp:resource library", "Missing argument 'URI'."),
        ("mcp:prompts", "Missing argument 'SERVER'."),
        ("mcp:prompt library", "Missing argument 'PROMPT'."),
        ("mcp:library add --c 1", "No such option '--c'"),
        ("mcp:lua", "there is no Lua code to run"),
        ("mcp:gateway:install", "Choose from: claude, cursor, vscode"),
    ],
)
@pytest.mark.usefixtures("library")
def test_wrong_command_line_is_one_document(kosmo: Kosmo, line: str, sentence: str) -> None:
    """Ours: in the envelope of the command, in one line."""
    command, *words = line.split()
    shapes = {"mcp:lua": "lua", "mcp:library": "call"}
    offers = ("mcp:resource", "mcp:prompt")
    shape = "call" if command.startswith(offers) else shapes.get(command, command)
    status, code, message, _ = refused(shape, kosmo(command, *words, "--json"))
    assert (status, code) == (2, "usage")
    assert sentence in message
    assert "\n" not in message


@pytest.mark.usefixtures("library")
def test_unknown_command_may_be_a_server(here: Kosmo) -> None:
    """Ours: both kinds are looked through for what was meant."""
    assert refused("call", here("mcp:libary", "add", "--json")) == (
        65,
        "unknown_integration",
        (
            "there is neither a command mcp:libary nor an MCP server libary. "
            "Did you mean: mcp:library, mcp:lua, mcp:list?"
        ),
        LISTED,
    )


def test_server_is_a_command_by_either_of_its_names(
    here: Kosmo, library: Library, home: Path
) -> None:
    """Ours: that of its file, and that of Lua; one that is broken says what is wrong with it."""
    define(home / "mcp.json", **{"My Books.v2": {"url": library.url}, "broken": {"comand": "x"}})
    expected = call_of("mcp.my_books_v2.add", {"sum": 3})
    broken = f"{home / 'mcp.json'}: broken has neither command nor url"
    for command in ("mcp:my_books_v2", "mcp:My Books.v2"):
        assert shown("call", here(command, "add", json.dumps(ADD), "--json")) == expected
    status, code, sentence, _ = refused("call", here("mcp:broken", "add", "--json"))
    assert (status, code, sentence) == (78, "config_error", broken)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("command", ["mcp:status", "mcp:doctor", "mcp:tools"])
def test_broken_configuration_is_one_error(here: Kosmo, home: Path, command: str) -> None:
    """Ours: not one for each server, and not a success."""
    (home / "config.toml").write_text("broken = [", encoding="utf-8")
    status, code, sentence, hint = refused(command, here(command, "--json"))
    assert (status, code, hint) == (78, "config_error", "Correct that line.")
    assert sentence.startswith(f"{home / 'config.toml'} is not valid TOML")


# Completion


@pytest.fixture
def complete(kosmo: Kosmo) -> Complete:
    """Complete a line as zsh hands it over."""

    def complete(line: str) -> list[str]:
        count = len(shlex.split(line)) - (not line.endswith(" "))
        asked = {"_KOSMO_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(count)}
        done = kosmo(env=asked)
        assert (done.status, done.stderr) == (0, "")
        return [value.replace("\\:", ":") for value in done.stdout.splitlines()[1::3]]

    return complete


def test_servers_and_their_tools_are_completed(
    kosmo: Kosmo, complete: Complete, beside: Path
) -> None:
    """Ours: tools once they are listed; completion contacts nobody."""
    assert complete("kosmo mcp:lib") == ["mcp:library"]
    assert complete("kosmo mcp:doctor l") == ["library"]
    assert complete("kosmo mcp:call library.ad") == []
    assert kosmo("mcp:tools", "library").status == 0
    assert complete("kosmo mcp:call library.ad") == ["library.add"]
    assert complete("kosmo mcp:schema library.e") == ["library.echo", "library.environment"]
    assert complete("kosmo mcp:library ad") == ["add"]
    assert complete("kosmo mcp:library add --")[:2] == ["--a", "--b"]
    assert not beside.exists()
