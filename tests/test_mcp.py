"""MCP servers from Lua: `app.mcp.*` and `mcp.*`, on the one path that every call takes."""

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import poll, stable
from library_server import Library, define, program

import kosmo_lua.mcp
from kosmo_lua import Kosmo, Result
from kosmo_lua.config import Config
from kosmo_lua.policy import Question
from kosmo_lua.progress import Progress

Run = Callable[..., Result]
TOOLS = [
    *("add", "big", "boom", "crash", "echo", "environment", "fail", "headers", "json_text"),
    *("many_blocks", "note", "nothing", "odd_name_v2", "odd_name_v2_2", "slow", "strict"),
]


@pytest.fixture
def run(library: Library, tmp_path: Path) -> Run:
    """Run Lua code with the library, in a project that is empty; options are those of Kosmo."""
    del library
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)

    def run(code: str, **options: Any) -> Result:
        config = Config.of(os.environ, str(project))
        with Kosmo(config=config, **options) as kosmo:
            return kosmo.run(code)

    return run


def value(result: Result) -> Any:
    """Return what a script has returned."""
    assert result.error is None, result.error
    return result.result


def failed(result: Result) -> tuple[str, str, str | None]:
    """Return the code of a failure, its sentence, and what to do."""
    assert result.error_info is not None
    assert result.error is not None
    return result.error_info.code, result.error, result.error_info.hint


# What tools return


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("add{a = 1, b = 2}", {"sum": 3}),
        ("add(1, 2)", {"sum": 3}),
        ('echo{text = "héllo 🎈"}', "héllo 🎈"),
        ('echo{text = "[1, 2]"}', [1, 2]),
        ('echo{text = "007"}', "007"),
        ("json_text{}", {"books": [{"title": "Momo", "year": 1973}]}),
        ("nothing{}", None),
        ("nothing()", None),
    ],
)
def test_result_is_what_the_tool_means(run: Run, call: str, expected: object) -> None:
    """Ours: structured content, else text that is JSON decoded, else text, else the blocks."""
    assert value(run(f"return app.mcp.library.{call}")) == expected


def test_several_blocks_are_a_list(run: Run) -> None:
    """Ours: images as `{type, mime_type, data}`."""
    kinds = value(run("local b = app.mcp.library.many_blocks{} return b[1], b[2], b[6], #b"))
    assert kinds == [
        {"type": "text", "text": "Look:"},
        {"type": "image", "mime_type": "image/png", "data": "iVBORw0KGgo="},
        {"type": "resource_link", "uri": "library://shelf", "name": "shelf"},
        6,
    ]


def test_w3_answer_of_5_mib_arrives_whole(run: Run) -> None:
    """W3: upstream fails on what is longer than 64 KiB."""
    assert value(run("return #app.mcp.library.big{}")) == 5 * 1024 * 1024


def test_names_are_those_of_lua_and_of_the_server(run: Run) -> None:
    """Ours: a name that Lua cannot write is changed, and the one that needs no change keeps it."""
    code = """
    return app.mcp.library.odd_name_v2{}, app.mcp.library.odd_name_v2_2{},
      mcp.call("library.odd-name.v2"), mcp.call("app.mcp.library.odd_name_v2", {})
    """
    assert value(run(code)) == ["odd_name_v2", "odd-name.v2", "odd-name.v2", "odd_name_v2"]


def test_tools_are_listed_by_pairs(run: Run) -> None:
    """Ours: as the functions of an integration are."""
    code = "local names = {} for name in pairs(app.mcp.library) do names[#names + 1] = name end return names"
    assert value(run(code)) == TOOLS


def test_inner_empty_table_follows_the_schema(run: Run) -> None:
    """The card: values: inside the arguments `{}` is an object where the schema wants one."""
    result = run('return app.mcp.library.strict{kind = "book", by = {}}')
    assert failed(result)[1] == "eval:1: mcp.library.strict: by.name is required"


# What goes wrong


@pytest.mark.parametrize(
    ("call", "code", "sentence"),
    [
        ("add{a = 1}", "invalid_arguments", "mcp.library.add: b is required"),
        (
            'add{a = 1, b = "2"}',
            "invalid_arguments",
            'mcp.library.add: b must be a number, got the string "2"',
        ),
        (
            'strict{kind = "song", count = 0, extra = 1}',
            "invalid_arguments",
            (
                'mcp.library.strict: kind must be one of book, film, got the string "song"; count must '
                "fit minimum 1, got the number 0; unknown parameter extra (it takes kind, count, by, id)"
            ),
        ),
        (
            'strict{kind = "book", by = {name = "A", x = 1}}',
            "invalid_arguments",
            "mcp.library.strict: unknown parameter by.x (it takes name, born)",
        ),
        (
            "add(1, 2, 3)",
            "invalid_arguments",
            "mcp.library.add: it takes 2 arguments (a, b), got 3",
        ),
        (
            'fail{reason = "no such book"}',
            "service_error",
            "mcp.library.fail: the MCP server library answered with an error: no such book",
        ),
        (
            "ad{}",
            "unknown_function",
            "unknown function app.mcp.library.ad. Did you mean: add?",
        ),
    ],
)
def test_failure_is_one_sentence_with_its_line(
    run: Run, call: str, code: str, sentence: str
) -> None:
    """Ours: every problem in one message; nothing is sent that does not fit."""
    assert failed(run(f"return app.mcp.library.{call}"))[:2] == (code, f"eval:1: {sentence}")


def test_unknown_server_is_told_with_the_nearest(run: Run) -> None:
    """Ours: and where they are listed."""
    assert failed(run("return app.mcp.libary.add{}")) == (
        "unknown_integration",
        "eval:1: unknown MCP server libary. Did you mean: library?",
        "List them: kosmo mcp:list --all",
    )


def test_w7_errors_of_mcp_call_are_error_tables(run: Run) -> None:
    """W7: upstream's `mcp.call` returns nil on every error."""
    code = """
    local ok, err = pcall(mcp.call, "library.fail", {reason = "no"})
    return ok, err.code, err["function"], err.effect, tostring(err)
    """
    assert value(run(code)) == [
        False,
        "service_error",
        "mcp.library.fail",
        "sent",
        "eval:2: mcp.library.fail: the MCP server library answered with an error: no",
    ]


@pytest.mark.parametrize(
    "call", ["mcp.call()", "mcp.call(1)", "mcp.tools{}", "mcp.schema()", "mcp.resources()"]
)
def test_functions_of_mcp_take_names(run: Run, call: str) -> None:
    """Ours: and say so."""
    result = run(f"return {call}")
    assert result.error_info is not None
    assert result.error_info.line == 1


# The one path of a call


def test_call_is_logged_like_any_other(run: Run) -> None:
    """Ours: with what it is, what became of it, and without its arguments."""
    result = run("app.mcp.library.add{a = 1, b = 2}")
    assert [stable(call._asdict()) for call in result.call_log] == [
        {
            "function": "mcp.library.add",
            "account": "default",
            "access": "read",
            "effect": "sent",
            "status": None,
            "attempts": 1,
            "duration_ms": 1.0,
            "error": None,
            "retries": (),
            "events": None,
        }
    ]


def test_write_needs_approval(run: Run, library: Library) -> None:
    """Ours: a tool without `readOnlyHint` writes."""
    code, sentence, hint = failed(run('app.mcp.library.note{text = "a"}'))
    assert (code, sentence) == (
        "approval_required",
        "eval:1: mcp.library.note: a write to mcp.library needs approval, and there was nobody to ask",
    )
    assert hint == "Allow it with Kosmo(force=True), or set KOSMO_MCP_LIBRARY_WRITE=allow."
    assert library.notes == []


@pytest.mark.parametrize(
    "rule",
    ['"mcp.library.write" = "allow"', '"mcp.write" = "allow"', '"mcp.library.note" = "allow"'],
)
def test_rule_of_the_policy_allows_it(run: Run, library: Library, home: Path, rule: str) -> None:
    """Ours: rules name a server, all of them, or one tool."""
    (home / "config.toml").write_text(f"[policy]\n{rule}\n", encoding="utf-8")
    assert value(run('return app.mcp.library.note{text = "a"}')) == "noted"
    assert library.notes == ["a"]


@pytest.mark.parametrize(
    "rule", ['"mcp.library.*" = "deny"', '"mcp.read" = "deny"', '"mcp.library.echo" = "deny"']
)
def test_rule_of_the_policy_denies_it(run: Run, home: Path, rule: str) -> None:
    """Ours: also a read."""
    (home / "config.toml").write_text(f"[policy]\n{rule}\n", encoding="utf-8")
    assert failed(run('return app.mcp.library.echo{text = "a"}'))[0] == "denied"


def test_variable_allows_writes_of_one_server(
    run: Run, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: as for integrations."""
    monkeypatch.setenv("KOSMO_MCP_LIBRARY_WRITE", "allow")
    assert value(run('return app.mcp.library.note{text = "a"}')) == "noted"
    assert library.notes == ["a"]


def test_read_only_run_denies_writes(run: Run, library: Library) -> None:
    """Ours: whatever the policy says."""
    result = run('app.mcp.library.note{text = "a"}', force=True, read_only=True)
    assert failed(result)[0] == "denied"
    assert library.notes == []


def test_who_is_asked_sees_the_call(run: Run, library: Library) -> None:
    """Ours: the function, the account, the arguments."""
    asked = list[Question]()

    def ask(question: Question) -> bool:
        asked.append(question)
        return True

    value(run('app.mcp.library.note{text = "a"}', ask=ask))
    assert asked == [Question("mcp.library.note", "default", {"text": "a"}, "write")]
    assert library.notes == ["a"]


def test_dry_run_makes_reads_and_plans_writes(run: Run, library: Library) -> None:
    """Ours: as for integrations."""
    code = 'local n = app.mcp.library.add{a = 1, b = 2}.sum app.mcp.library.note{text = "n" .. n}'
    result = run(code, dry_run=True)
    assert result.plan is not None
    assert [tuple(call) for call in result.plan] == [
        ("mcp.library.note", "default", {"text": "n3"})
    ]
    assert library.notes == []


def test_calls_in_parallel_run_at_once(run: Run) -> None:
    """Ours: over one session, in the order of the items."""
    code = """
    local started = os.time()
    local texts = parallel.map({"a", "b", "c", "d", "e", "f"}, function(each)
      app.mcp.library.slow{seconds = 1, steps = 1}
      return app.mcp.library.echo{text = each}
    end)
    return texts, os.time() - started < 4
    """
    assert value(run(code)) == [["a", "b", "c", "d", "e", "f"], True]


def test_recording_is_replayed_without_the_server(
    run: Run, library: Library, home: Path, tmp_path: Path
) -> None:
    """Ours: names, positions and requests that are no tools; nothing is configured any more."""
    code = """
    return app.mcp.library.add(1, 2), mcp.call("library.odd-name.v2"), mcp.resources("library")[1].uri,
      app.mcp.library.note{text = "once"}, pcall(app.mcp.library.fail, {reason = "no"})
    """
    tape = tmp_path / "tape.jsonl"
    first = run(code, record=str(tape), force=True)
    (home / "mcp.json").unlink()
    again = run(code, replay=str(tape))
    assert value(first)[:4] == [{"sum": 3}, "odd-name.v2", "library://shelf", "noted"]
    assert (again.result, again.warnings) == (first.result, ())
    assert [call.access for call in again.call_log] == [call.access for call in first.call_log]
    assert library.notes == ["once"]


def test_replay_says_what_was_not_recorded(run: Run, tmp_path: Path) -> None:
    """Ours: another call, and another server."""
    tape = tmp_path / "tape.jsonl"
    value(run("app.mcp.library.add{a = 1, b = 2}", record=str(tape)))
    other_call = failed(run("app.mcp.library.add{a = 1, b = 3}", replay=str(tape)))
    other_server = failed(run("app.mcp.github.search{}", replay=str(tape)))
    assert (other_call[0], other_server[:2]) == (
        "not_recorded",
        ("not_recorded", "eval:1: no call of the MCP server github was recorded"),
    )


def test_servers_are_not_called_with_emulators(run: Run, library: Library) -> None:
    """Ours: `--emulator` promises that nothing real happens, and lifts the policy."""
    code, sentence, _ = failed(run('app.mcp.library.note{text = "a"}', emulator=True))
    assert (code, sentence) == (
        "denied",
        "eval:1: MCP servers are not called with --emulator: they are real",
    )
    assert library.notes == []


def test_call_limit_counts_calls_of_servers(run: Run) -> None:
    """The card: limits hold."""
    from kosmo_lua.lua.limits import Limits  # noqa: PLC0415  # only here

    result = run("while true do app.mcp.library.nothing{} end", limits=Limits(calls=3))
    assert (failed(result)[0], len(result.call_log)) == ("call_limit", 3)


def test_progress_of_a_tool_is_told(run: Run, home: Path) -> None:
    """Ours: as an event, and in what is told of the run every tenth of a second."""
    events, told = list[Any](), list[Progress]()
    del home
    with Kosmo() as kosmo, kosmo.session() as session:
        # So that the server runs: else it is its start that takes the first second, of which nothing is told.
        assert session.run("app.mcp.library.slow{seconds = 0, steps = 1}").success
        session.run(
            "app.mcp.library.slow{seconds = 1.6, steps = 4}",
            on_event=events.append,
            on_progress=told.append,
        )
    del run
    steps = [event for event in events if event.type == "step"]
    assert [event[1:6] for event in steps] == [
        ("mcp.library.slow", "default", float(step), 4.0, f"step {step}") for step in range(1, 5)
    ]
    shown = [each.step.message for progress in told for each in progress.working]
    assert shown
    assert {*shown} <= {"step 2", "step 3", "step 4"}


def test_time_limit_ends_a_call_that_a_server_works_on(run: Run, library: Library) -> None:
    """The card: limits hold; the server hears that nobody waits."""
    from kosmo_lua.lua.limits import Limits  # noqa: PLC0415  # only here

    code = "app.mcp.library.slow{seconds = 60, steps = 1, started = true}"
    result = run(code, limits=Limits(wall=2.5))
    assert failed(result)[0] == "wall_limit"
    assert [call.effect for call in result.call_log] == ["unknown"]
    poll(lambda: library.notes == ["started", "cancelled"])


# The table mcp


def test_mcp_tells_what_there_is(run: Run, library: Library, home: Path) -> None:
    """Ours: without contacting a server, once its tools are known."""
    before = value(run("return mcp.servers()"))
    tools = value(run('return mcp.tools("library")'))
    after = value(run("return mcp.servers()"))
    state = {
        "name": "library",
        "server": "library",
        "type": "http",
        "enabled": True,
        "trust": "own",
        "source": str(home / "mcp.json"),
    }
    assert (before, after) == ([state], [{**state, "tools": len(TOOLS)}])
    assert tools[0] == {
        "name": "library.add",
        "server": "library",
        "access": "read",
        "summary": "Add two numbers.",
    }
    assert library.notes == []


def test_mcp_schema_is_that_of_the_tool(run: Run) -> None:
    """Ours: as the server has sent it."""
    assert value(run('return mcp.schema("library.add")')) == {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a", "b"],
    }


def test_resources_and_prompts_are_calls(run: Run) -> None:
    """Ours: they are logged, and what they need is checked."""
    result = run(
        """
        return mcp.resources("library")[3], mcp.read_resource("library", "library://shelf"),
          mcp.prompts("library")[2], mcp.get_prompt("library", "review", {title = "Momo"})
        """
    )
    assert value(result) == [
        {"name": "book", "uri_template": "library://books/{title}"},
        [{"uri": "library://shelf", "mime_type": "text/plain", "text": "This is shelf."}],
        {"name": "hello"},
        {
            "description": "A review.",
            "messages": [
                {
                    "role": "user",
                    "content": {"type": "text", "text": "Please review Momo in a kind tone."},
                }
            ],
        },
    ]
    assert [call.function for call in result.call_log] == [
        "mcp.library.resources/list",
        "mcp.library.resources/read",
        "mcp.library.prompts/list",
        "mcp.library.prompts/get",
    ]
    assert failed(run('return mcp.read_resource("library")'))[1] == (
        "eval:1: mcp.library.resources/read: uri is required"
    )


# Docs


def test_docs_have_the_tools(run: Run) -> None:
    """Ours: a page for the server, a page for each tool, found by search and by the list."""
    code = """
    return docs.read("mcp.library"), docs.read("app.mcp.library.add"), docs.search("two numbers"), docs.list()
    """
    server, tool, found, listed = value(run(code))
    assert "# The library\n\nAsk for books.\n\nLua namespace: `app.mcp.library`." in server
    assert "| `add` | read | Add two numbers. |" in server
    assert "- `odd-name.v2` is `odd_name_v2_2`" in server
    assert tool.startswith("# app.mcp.library.add\n\nAdd two numbers.\n\n- Access: read")
    assert "| `a` | number | yes |" in tool
    assert "dump(app.mcp.library.add({a = 1, b = 1}))" in tool
    assert """kosmo mcp:call library.add '{"a": 1, "b": 1}' --json""" in tool
    assert "- `mcp.library.add`: Add two numbers." in found
    assert "## MCP servers\n\n- `mcp.library`: Ask for books." in listed


def test_docs_contact_nobody_for_a_list(run: Run, home: Path) -> None:
    """Ours: a server that nobody has listed is told without its tools."""
    define(home / "mcp.json", ghost=program("no-such-file"))
    listed = value(run("return docs.list()"))
    assert "- `mcp.ghost`: not contacted yet, so its tools are not known." in listed


def test_pages_of_two_servers_can_be_read_at_once(
    run: Run, library: Library, home: Path, tmp_path: Path
) -> None:
    """Ours: neither has been listed, and the end of one contact is not that of the other."""
    del run
    notes = str(tmp_path / "notes")
    define(home / "mcp.json", slow=program("library", NOTES=notes), fast={"url": library.url})
    with Kosmo() as kosmo, ThreadPoolExecutor(2) as pool:
        pages = [*pool.map(kosmo.reference.read, ["mcp.slow", "mcp.fast"])]
    assert [page.splitlines()[0] for page in pages] == ["# The library"] * 2


def test_unknown_page_of_a_tool_is_told(run: Run) -> None:
    """Ours: with the nearest."""
    value(run('return mcp.tools("library")'))
    sentence = failed(run('return docs.read("mcp.library.ad")'))[1]
    assert 'there is no page "mcp.library.ad". Did you mean: mcp.library.add, mcp.' in sentence


# Several servers


def test_w8_a_broken_server_costs_only_itself(run: Run, library: Library, home: Path) -> None:
    """W8: upstream starts all servers for every run, and hides the failure of one."""
    broken = {"command": str(home / "no-such-program")}
    define(home / "mcp.json", library={"url": library.url}, broken=broken)
    code = """
    local ok, err = pcall(function() return app.mcp.broken.anything{} end)
    local tools = mcp.tools()
    return app.mcp.library.add{a = 1, b = 2}.sum, ok, err.code, tools[1].error
    """
    sentence = (
        f"the MCP server broken cannot be started: there is no program {home}/no-such-program"
    )
    assert value(run(code)) == [3, False, "unreachable", sentence]


def test_w21_a_call_contacts_its_own_server_only(run: Run, library: Library, home: Path) -> None:
    """W21: upstream lists the tools of every enabled server again for one call, untrusted ones, too."""
    started = home / "started"
    touch = {"command": sys.executable, "args": ["-c", f"open({str(started)!r}, 'w')"]}
    define(home / "mcp.json", library={"url": library.url}, other=touch)
    assert value(run("return app.mcp.library.add{a = 1, b = 2}")) == {"sum": 3}
    assert not started.exists()


def test_w8_script_that_touches_no_server_starts_none(run: Run, home: Path) -> None:
    """W8, and the card: `return 1` with three servers."""
    started = home / "started"
    touch = {"command": sys.executable, "args": ["-c", f"open({str(started)!r}, 'w')"]}
    define(home / "mcp.json", a=touch, b=touch, c=touch)
    assert value(run("for _ in pairs(app.mcp) do end return #mcp.servers()")) == 3
    assert not started.exists()


def test_w20_force_works_with_servers(run: Run, library: Library) -> None:
    """W20: upstream's `integrations:lua --force` breaks as soon as one server is enabled."""
    assert value(run('return app.mcp.library.note{text = "a"}', force=True)) == "noted"
    assert library.notes == ["a"]


# Trust


@pytest.fixture
def project_library(run: Run, library: Library, home: Path, tmp_path: Path) -> Path:
    """Let a project define the library instead of the user."""
    del run
    (home / "mcp.json").unlink()
    file = tmp_path / "project" / ".mcp.json"
    define(file, library={"url": library.url})
    return file


@pytest.mark.parametrize(
    "code",
    [
        'app.mcp.library.echo{text = "a"}',
        'mcp.call("library.echo", {text = "a"})',
        'mcp.tools("library")',
        'mcp.schema("library.echo")',
        'mcp.resources("library")',
        'mcp.read_resource("library", "library://shelf")',
        "pairs(app.mcp.library)",
        "local f = app.mcp.library.echo",
    ],
)
@pytest.mark.parametrize("force", [False, True])
def test_w1_nothing_is_contacted_before_it_is_trusted(
    run: Run, project_library: Path, code: str, *, force: bool
) -> None:
    """W1: upstream starts a server to look a tool up before it checks whether that is trusted."""
    started = project_library.with_name("started")
    touch = {"command": sys.executable, "args": ["-c", f"open({str(started)!r}, 'w')"]}
    define(project_library, library=touch)
    found = failed(run(code, force=force))
    assert found[:2] == ("untrusted", "eval:1: the project's MCP server library is not trusted")
    assert found[2] == f"Review {project_library}, then run: kosmo mcp:trust library"
    assert not started.exists()


def test_w1_lists_of_everything_leave_out_what_is_not_trusted(
    run: Run, project_library: Path
) -> None:
    """W1: upstream's list of all tools contacts servers that nobody has trusted."""
    started = project_library.with_name("started")
    touch = {"command": sys.executable, "args": ["-c", f"open({str(started)!r}, 'w')"]}
    define(project_library, library=touch)
    code = 'return mcp.tools(), docs.list(), docs.search("echo")'
    tools, *_ = value(run(code))
    assert [(each["server"], each["code"]) for each in tools] == [("library", "untrusted")]
    assert not started.exists()


def test_kept_list_of_tools_is_not_shown_once_trust_is_gone(
    run: Run, project_library: Path, library: Library
) -> None:
    """Ours: a changed definition is another server."""
    from kosmo_lua.mcp.servers import Servers  # noqa: PLC0415  # only here
    from kosmo_lua.mcp.trust import Trust  # noqa: PLC0415  # the same

    config = Config.of(os.environ, str(project_library.parent))
    Trust(config, os.environ).grant(Servers(config, os.environ).get("library"))
    assert value(run('return app.mcp.library.echo{text = "a"}')) == "a"
    define(project_library, library={"url": library.url, "headers": {"X": "y"}})
    code, sentence, _ = failed(run('return app.mcp.library.echo{text = "a"}'))
    assert (code, sentence) == (
        "untrusted",
        "eval:1: the project's MCP server library has changed since it was trusted",
    )
    assert "mcp.library.echo" not in value(run("return docs.list()"))


def test_tool_that_is_known_still_needs_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: the list of its tools is kept, and the packages may have gone since."""
    value(run('return mcp.tools("library")'))
    monkeypatch.delitem(sys.modules, "kosmo_lua.mcp.validation", raising=False)
    monkeypatch.delattr(kosmo_lua.mcp, "validation", raising=False)
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    code, _, hint = failed(run("app.mcp.library.add{a = 1, b = 2}"))
    assert (code, hint) == ("extra_missing", 'pip install "kosmo-lua[mcp]"')


# What changes at the server


def keep(home: Path, **changes: Any) -> None:
    """Change what is kept of the tool `note`, as if the server had changed since."""
    (file,) = (home / "cache").glob("mcp-*.json")
    kept = json.loads(file.read_text(encoding="utf-8"))
    for tool in kept["tools"]:
        if tool["name"] == "note":
            tool.update(changes)
    file.write_text(json.dumps(kept), encoding="utf-8")


def test_tool_that_writes_now_is_not_called_as_a_read(
    run: Run, library: Library, home: Path
) -> None:
    """Ours: what is kept of a server may be old; its word on a call is the one of today."""
    value(run('return mcp.tools("library")'))
    keep(home, annotations={"readOnlyHint": True})
    first = failed(run('app.mcp.library.note{text = "a"}'))
    second = failed(run('app.mcp.library.note{text = "a"}'))
    assert (first[0], second[0]) == ("approval_required", "approval_required")
    assert "only read when it was listed, and now it writes" in first[1]
    assert library.notes == []


def test_arguments_are_checked_against_the_schema_of_today(
    run: Run, library: Library, home: Path
) -> None:
    """Ours: nothing is sent that the server would refuse."""
    value(run('return mcp.tools("library")'))
    keep(home, inputSchema={"type": "object"})
    result = run("app.mcp.library.note{}", force=True)
    assert failed(result)[:2] == (
        "invalid_arguments",
        "eval:1: mcp.library.note: text is required",
    )
    assert result.call_log[0].effect == "none"
    assert library.notes == []


def test_broken_cache_is_as_if_there_were_none(run: Run, home: Path) -> None:
    """Ours: the server is asked again."""
    value(run('return mcp.tools("library")'))
    (file,) = (home / "cache").glob("mcp-*.json")
    for text in ("", "[]", '{"format": 1, "tools": 3}', "[" * 100_000):
        file.write_text(text, encoding="utf-8")
        assert value(run("return app.mcp.library.add{a = 1, b = 2}")) == {"sum": 3}


def test_pipe_in_the_cache_is_as_if_there_were_none(run: Run, home: Path) -> None:
    """Ours: nobody waits for what it has to say, and it stays."""
    value(run('return mcp.tools("library")'))
    (file,) = (home / "cache").glob("mcp-*.json")
    file.unlink()
    os.mkfifo(file)
    assert value(run("return app.mcp.library.add{a = 1, b = 2}")) == {"sum": 3}
    assert file.is_fifo()
