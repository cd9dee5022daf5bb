"""kosmo as an MCP server, driven over stdio by the client of the official SDK."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from coding_agent import Agent, alive, connected, stdio, text_of
from conftest import COMMAND, ROOT, poll, stable
from hypothesis import given
from hypothesis import strategies as st
from mcp import MCPError

from kosmo_lua import Kosmo
from kosmo_lua.catalog import Catalog
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import UnknownIntegration, UsageError
from kosmo_lua.gateway.code import summaries
from kosmo_lua.gateway.functions import LONGEST, FunctionTools, tool_name
from kosmo_lua.gateway.offer import SMALLEST, Offer
from kosmo_lua.gateway.replies import reply, size
from kosmo_lua.gateway.scripts import Scripts
from kosmo_lua.integration import Api, Credentials, Integration
from kosmo_lua.results import ErrorInfo, Meta, Result

TRACK = 'app.integrations.segment.track{event = "E", userId = "u"}'
LIMIT = 4000


@pytest.fixture(scope="module")
def agent(gateway_environ: dict[str, str]) -> Iterator[Agent]:
    """An agent whose gateway offers scripts."""
    options = ("--max-result-chars", str(LIMIT), "--cpu-limit", "2", "--call-limit", "50")
    with connected(stdio(*options, env=gateway_environ)) as agent:
        yield agent


@pytest.fixture(autouse=True)
def nothing_sent_yet(services: Emulator) -> None:
    """Each test sees what it sends itself, and no fault of another one."""
    services.reset()


def facts(agent: Agent, tool: str, code: str) -> Any:
    """Run a script; return the facts of its result."""
    result = agent.call(tool, code=code)
    assert result.is_error is not result.structured_content["success"]
    return result.structured_content


def messages(services: Emulator) -> list[Any]:
    """Return what Segment was sent."""
    return [event["message"] for event in services.events("segment")]


def code_of(document: Any) -> str:
    """Return the code of the error of a run."""
    code: str = document["error_info"]["code"]
    return code


# What an agent sees first


def test_four_tools_say_whether_they_write(agent: Agent) -> None:
    """The card: reads may be allowed for ever, writes asked each time."""
    hints = {name: tool.annotations for name, tool in agent.tools().items()}
    shown = {
        name: (each.read_only_hint, each.destructive_hint, each.open_world_hint)
        for name, each in hints.items()
        if each
    }
    assert shown == {
        "search_docs": (True, False, False),
        "read_doc": (True, False, False),
        "run_read": (True, False, True),
        "run_write": (False, True, True),
    }


def test_what_an_agent_reads_before_its_first_question_is_short(agent: Agent) -> None:
    """Ours: about 1,000 tokens, of some four characters each, with every integration in a line."""
    tools = [tool.model_dump(by_alias=True, exclude_none=True) for tool in agent.tools().values()]
    text = json.dumps(tools) + str(agent.client.instructions)
    assert len(text) < 4000
    assert "- posthog: Capture events; read events" in text
    assert "Integrations: posthog, segment." in str(agent.client.instructions)


def test_many_integrations_are_listed_by_as_many_names_as_fit() -> None:
    """Ours: a thousand integrations do not fill the context of an agent."""
    many = [
        Integration(
            f"service{number}", title="S", summary="Does.", credentials=Credentials, api=Api
        )
        for number in range(1000)
    ]
    text = summaries(Catalog(many))
    assert len(text) < 1400
    assert text.startswith("Integrations: service0, service1, ")
    assert text.endswith(" more (search_docs).")


def test_docs_are_searched_and_read(agent: Agent) -> None:
    """The card: search_docs first, then read_doc."""
    found = agent.call("search_docs", query="list persons")
    assert text_of(found).startswith(
        'Pages about "list persons":\n\n- `posthog.posthog_list_persons`: '
    )
    page = agent.call("read_doc", page="posthog.list_persons")
    assert text_of(page).startswith("# app.integrations.posthog.posthog_list_persons\n")
    assert not found.is_error
    assert not page.is_error
    index = text_of(agent.call("read_doc", page="index"))
    assert "Read a page with `read_doc`." in index
    assert "- `segment.track_event` (write): " in index


def test_unknown_page_is_an_error_that_names_the_nearest(agent: Agent) -> None:
    """Ours: the agent learns from it without a second search."""
    result = agent.call("read_doc", page="segment.trak")
    assert result.is_error
    assert text_of(result) == (
        'error: there is no page "segment.trak". Did you mean: segment.track, '
        "segment.track_event, segment.page?\nhint: read_doc index lists all pages."
    )


def test_bad_arguments_are_an_error_in_one_sentence(agent: Agent) -> None:
    """Ours: missing, misspelt and wrongly typed arguments run nothing."""
    assert text_of(agent.call("run_read")) == "error: code is required"
    assert text_of(agent.call("run_read", code=5)) == (
        'error: code must be a string, got the number 5 (write code = "5")'
    )
    result = agent.call("run_read", code="return 1", cod="x")
    assert result.is_error
    assert text_of(result) == "error: unknown parameter cod, did you mean code?"


def test_unknown_tool_is_an_error_of_the_protocol(agent: Agent) -> None:
    """MCP: as the specification has it."""
    with pytest.raises(MCPError) as caught:
        agent.call("run_all", code="return 1")
    assert caught.value.error.code == -32602


# What scripts give back


def test_result_is_whole_as_facts_and_as_text(agent: Agent) -> None:
    """The card: output, result, call log, and a text that is readable on its own."""
    code = 'print("hi", 1) return app.integrations.segment.get_current_user().slug, {a = {}}'
    result = agent.call("run_read", code=code)
    assert stable(result.structured_content) == {
        "success": True,
        "output": "hi\t1",
        "result": ["my-workspace", {"a": []}],
        "error": None,
        "error_info": None,
        "warnings": [],
        "call_log": [
            {
                "function": "segment.get_current_user",
                "account": "default",
                "access": "read",
                "effect": "sent",
                "status": 200,
                "attempts": 1,
                "duration_ms": 1.0,
                "error": None,
                "retries": [],
                "events": None,
            }
        ],
        "delivery": None,
        "meta": {
            "run_id": "RUN",
            "waited_ms": 0.0,
            "permission_bypassed": False,
            "dry_run": False,
            "calls": {
                "total": 1,
                "reads": 1,
                "writes": 0,
                "failed": 0,
                "unknown": 0,
                "wrote": 0,
            },
        },
        "truncated": [],
    }
    assert text_of(result) == (
        'hi\t1\nresult: ["my-workspace",{"a":[]}]\ncalls: 1 (1 reads, 0 writes, 0 failed, 0 unknown)'
    )
    assert not result.is_error


def test_failure_is_an_error_with_its_line_code_and_hint(agent: Agent) -> None:
    """Ours: an agent corrects its script from the text alone."""
    result = agent.call("run_read", code='print("before")\nlocal x = nil + 1')
    assert result.is_error
    assert text_of(result) == (
        "before\nerror: script:2: attempt to perform arithmetic on a nil value\n"
        "code: script_error, effect: none"
    )
    assert result.structured_content["error_info"]["line"] == 2


def test_script_that_says_nothing_says_so(agent: Agent) -> None:
    """Ours: an empty reply looks like a fault."""
    result = agent.call("run_read", code="local x = 1")
    assert text_of(result) == "The script ended; it printed and returned nothing."


def test_each_script_starts_anew(agent: Agent) -> None:
    """Ours: what one call leaves in globals, no other one finds."""
    facts(agent, "run_write", "secret = 1")
    assert facts(agent, "run_read", "return secret")["result"] is None


# Who may write

WRITES = {
    "plain": TRACK,
    "pcall": f'local ok, e = pcall(function() {TRACK} end) error(e.code .. ": refused")',
    "parallel": f"parallel({{function() {TRACK} end, function() {TRACK} end}})",
    "batch": 'local b = batch() b.add("segment.track", {event = "E", userId = "u"}) b.flush()',
    "built name": 'app["integra" .. "tions"]["seg" .. "ment"][("kcart"):reverse()]'
    '{event = "E", userId = "u"}',
    "another spelling": 'app.integrations.segment.segment_track_event{event = "E", userId = "u"}',
    "another account": 'app.integrations.segment.work.track{event = "E", userId = "u"}',
    "load": f"load({TRACK!r})()",
    "coroutine": f"coroutine.wrap(function() {TRACK} end)()",
}


@pytest.mark.parametrize("code", WRITES.values(), ids=WRITES)
def test_run_read_cannot_write_however_it_is_written(
    agent: Agent, services: Emulator, code: str
) -> None:
    """The card: every write is denied inside the host, not by looking at the script."""
    document = facts(agent, "run_read", code)
    assert not document["success"]
    assert document["meta"]["calls"]["wrote"] == 0
    assert services.events() == []
    assert services.stats().requests == {}


def test_run_write_writes_what_the_policy_asks_about(agent: Agent, services: Emulator) -> None:
    """The card: the client has asked its user for this very call."""
    document = facts(agent, "run_write", f"return {TRACK}")
    assert document["success"]
    (message,) = messages(services)
    assert message["event"] == "E"
    assert document["meta"]["permission_bypassed"] is False


def test_w16_what_the_policy_denies_stays_denied_in_run_write(
    agent: Agent, services: Emulator
) -> None:
    """W16: there, --write=allow turned on force, which bypassed `deny`."""
    code = 'app.integrations.segment.identify{userId = "u", traits = {a = 1}}'
    document = facts(agent, "run_write", code)
    assert code_of(document) == "denied"
    assert "Kosmo(force=True)" not in str(document)
    assert "--force" not in str(document)
    assert services.stats().requests == {}


def test_read_that_the_policy_asks_about_needs_run_write(agent: Agent) -> None:
    """Ours: the client asks its user there, and not for run_read."""
    code = "return app.integrations.segment.work.get_current_user().slug"
    assert code_of(facts(agent, "run_read", code)) == "approval_required"
    assert facts(agent, "run_write", code)["result"] == "my-workspace"


def test_calls_of_agents_are_in_the_audit_log(
    agent: Agent, gateway_environ: dict[str, str]
) -> None:
    """Ours: as those of every other run of the user."""
    run = facts(agent, "run_write", TRACK)["meta"]["run_id"]
    log = Path(gateway_environ["KOSMO_HOME"], "audit.jsonl").read_text().splitlines()
    written = [json.loads(line) for line in log]
    assert [each["function"] for each in written if each["run_id"] == run] == [
        "segment.track_event"
    ]


def test_write_deny_takes_run_write_away(gateway_environ: dict[str, str]) -> None:
    """The card: `--write deny`; and nothing but the integrations that were named."""
    server = stdio("--write", "deny", "--integration", "segment", env=gateway_environ)
    with connected(server, mode="legacy") as agent:
        assert [*agent.tools()] == ["search_docs", "read_doc", "run_read"]
        with pytest.raises(MCPError):
            agent.call("run_write", code="return 1")
        document = facts(agent, "run_read", "return app.integrations.posthog.list_persons()")
        assert code_of(document) == "unknown_integration"
        assert "Integrations: segment." in str(agent.client.instructions)
        assert agent.call("read_doc", page="posthog").is_error


# What is long


def whole_size(result: Any) -> int:
    """Return the characters of the JSON of a result, without the stamp of the SDK."""
    document = result.model_dump(by_alias=True, exclude={"meta"})
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


LONG = {
    "output": 'print(("line of output\\n"):rep(10000))',
    "escapes": "print(('\\0\\1\"'):rep(10000))",
    "result": 'local t = {} for i = 1, 5000 do t[i] = {id = i, name = "n"} end return t',
    "text": 'return ("x"):rep(100000)',
    "error": 'error(("e"):rep(100000))',
    "details": 'error({message = "m", more = ("e"):rep(100000)})',
    "deep error": "local t = {} for i = 1, 500 do t = {t} end error({message = 'm', t = t})",
    "deep": "local t = {} for i = 1, 500 do t = {t} end return t",
    "log": "for i = 1, 49 do app.integrations.segment.get_current_user() end return 1",
}


@pytest.mark.parametrize("code", LONG.values(), ids=LONG)
def test_w16_reply_is_never_longer_than_asked_and_says_what_is_missing(
    agent: Agent, code: str
) -> None:
    """W16: there, structuredContent was not cut, and might be a list."""
    result = agent.call("run_read", code=code)
    assert whole_size(result) <= LIMIT
    assert isinstance(result.structured_content, dict)
    assert result.structured_content["truncated"]
    assert "[cut: " in text_of(result)


FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


@pytest.mark.parametrize("shift", range(5))
def test_w16_long_output_is_cut_between_characters(agent: Agent, shift: int) -> None:
    """W16: there, a cut in the middle of a character made the reply `{}`, and the client hang."""
    code = f"print(('a'):rep({shift}) .. ('{FAMILY}'):rep(5000))"
    document = facts(agent, "run_read", code)
    output = document["output"]
    assert output == "a" * shift + FAMILY * ((len(output) - shift) // len(FAMILY))
    (note,) = document["truncated"]
    missing = shift + 5000 * len(FAMILY) - len(output)
    assert note == (
        f"output: {missing:,} of {shift + 5000 * len(FAMILY):,} characters left out; return or print less: "
        "filter in the script, pick the fields, or go through the pages"
    )
    assert f"[cut: {note}]" in text_of(agent.call("run_read", code=code))


TEXTS = st.text(st.sampled_from('a\n"\\\0\x7f\ud83d\u0301\u200d\N{MAN}'), max_size=40)
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


@given(
    text=TEXTS,
    values=st.tuples(VALUES, VALUES),
    times=st.integers(0, 4000),
    limit=st.integers(SMALLEST, 20_000),
    failed=st.booleans(),
)
def test_w16_every_reply_is_valid_and_within_its_bound(
    *, text: str, values: tuple[Any, Any], times: int, limit: int, failed: bool
) -> None:
    """W16: whatever a script prints, returns or raises, of whatever length."""
    value, details = values
    info = ErrorInfo("script_error", "runtime", hint=text, details=details) if failed else None
    error = text * times + "." if failed else None
    result = Result(
        not failed, Meta("RUN"), text * times, [value] * (times // 100), error, info, (text,) * 9
    )
    made = reply(result, limit)
    assert size(made) <= limit
    assert made.facts is not None
    assert (made.facts["success"], made.failed) == (not failed, failed)
    assert json.loads(json.dumps(made.facts, ensure_ascii=False).encode()) == made.facts
    assert made.text.encode()


@pytest.mark.parametrize("tool", ["read_doc", "search_docs"])
def test_error_that_quotes_what_the_client_has_sent_is_within_the_bound(
    agent: Agent, tool: str
) -> None:
    """A name of a million characters, and a query of a hundred thousand words, come back cut, and soon."""
    word = {"read_doc": "x" * 1_000_000, "search_docs": "y " * 100_000}[tool]
    result = agent.call(tool, **{"page" if tool == "read_doc" else "query": word})
    assert whole_size(result) <= 50_000
    assert "[cut: " in text_of(result)


def test_long_page_is_cut_with_a_notice(agent: Agent) -> None:
    """Ours: the docs have the same bound."""
    result = agent.call("read_doc", page="overview")
    assert whole_size(result) <= LIMIT
    assert text_of(result).endswith(" characters left out; read a narrower page]")


# Several at once, and the end of a call


def test_scripts_of_several_calls_run_at_once(agent: Agent, services: Emulator) -> None:
    """Ours: a slow call holds up no other one."""
    services.fault(delay=60)
    slow = agent.start("run_read", code="app.integrations.segment.get_current_user()")
    poll(lambda: services.stats().requests)
    assert facts(agent, "run_read", "return 1")["result"] == 1
    assert not slow.done()
    slow.cancel()


@pytest.mark.parametrize(
    "code",
    [
        "app.integrations.segment.get_current_user()",
        "app.integrations.segment.get_current_user() while true do end",
        "while true do pcall(app.integrations.segment.get_current_user) end",
    ],
    ids=["in a call", "in Lua", "in pcall"],
)
def test_cancelled_request_ends_its_script(
    agent: Agent, services: Emulator, descendants: Callable[[int], set[int]], code: str
) -> None:
    """Ours: whatever it does, its process is gone, and nothing is sent afterwards."""
    before = descendants(os.getpid())
    services.fault(delay=60, times=1) if code.endswith("user()") else None
    running = agent.start("run_read", code=code)
    poll(lambda: services.stats().requests)
    started = descendants(os.getpid()) - before
    running.cancel()
    poll(lambda: not alive(started))
    assert started
    assert facts(agent, "run_read", "return 1")["result"] == 1


HOSTILE = {
    "prints 100 MB": ('for i = 1, 100 do print(("x"):rep(2^20)) end', "output_limit"),
    "memory": (
        'local t = {} for i = 1, 1e9 do t[i] = ("x"):rep(2^20) .. i end',
        "memory_limit",
    ),
    "loop": ("while true do end", "cpu_limit"),
    "calls": (
        "for i = 1, 60 do pcall(app.integrations.segment.get_current_user) end",
        "call_limit",
    ),
    "os.exit": ("os.exit(0)", "script_error"),
    "stdout": ('io.stdout:write("{}")', "script_error"),
    "returns too much": ('local s = ("\\0"):rep(2^20) return s, s, s', "result_limit"),
}


@pytest.mark.parametrize(("code", "error"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_script_gets_nowhere_and_the_gateway_lives_on(
    agent: Agent, code: str, error: str
) -> None:
    """The card: limits hold for each script, and one script is no other's business."""
    assert code_of(facts(agent, "run_read", code)) == error
    assert facts(agent, "run_read", "return 1")["result"] == 1


def test_half_a_character_from_a_service_harms_nobody(agent: Agent) -> None:
    """W16: what no UTF-8 has must not end the writer of the protocol."""
    document = facts(agent, "run_read", 'return json.decode([["\\ud83d"]])')
    assert document["success"] in (True, False)
    assert facts(agent, "run_read", "return 1")["result"] == 1


def test_calls_from_many_threads_each_get_their_own_result(agent: Agent) -> None:
    """Ours: more calls than run at once wait for their turn."""
    waiting = [agent.start("run_read", code=f"return {number}") for number in range(24)]
    results = [each.result(timeout=30).structured_content["result"] for each in waiting]
    assert results == [*range(24)]


# Each function as a tool


@pytest.fixture(scope="module")
def user(gateway_environ: dict[str, str]) -> Iterator[Agent]:
    """An agent whose gateway offers each function as a tool."""
    with connected(stdio("--expose", "tools", env=gateway_environ)) as agent:
        yield agent


def test_each_function_is_a_tool_with_its_schema_and_its_access(user: Agent) -> None:
    """The card: `--expose tools`; upstream: the names."""
    tools = user.tools()
    assert len(tools) == 23
    tool = tools["integration__posthog__list_persons"]
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint
    assert "search" in tool.input_schema["properties"]
    assert tool.input_schema["properties"]["_account"]["type"] == "string"
    write = tools["integration__segment__track_event"].annotations
    assert write is not None
    assert (write.read_only_hint, write.destructive_hint) == (False, True)
    assert max(map(len, tools)) <= LONGEST


def test_tool_calls_its_function_with_arguments_as_they_are(
    user: Agent, services: Emulator
) -> None:
    """Ours: JSON in, JSON out; no argument is ever code."""
    properties = {"n": 2**53, "list": [], "object": {}, "text": '"]]--\n', "deep": [{"a": [1.5]}]}
    result = user.call(
        "integration__segment__track_event",
        event="E",
        userId="u",
        properties=properties,
        _account="work",
    )
    assert not result.is_error, text_of(result)
    (message,) = messages(services)
    assert message["properties"] == properties
    (call,) = result.structured_content["call_log"]
    assert (call["function"], call["account"]) == ("segment.track_event", "work")


def test_tool_with_bad_arguments_sends_nothing(user: Agent, services: Emulator) -> None:
    """Ours: every problem in one sentence, without the line of a script that nobody wrote."""
    result = user.call("integration__segment__track_event", evnt="E")
    assert result.is_error
    assert text_of(result).startswith("error: segment.track_event: ")
    assert code_of(result.structured_content) == "invalid_arguments"
    assert user.call("integration__segment__get_current_user", _account=5).is_error
    unknown = user.call("integration__segment__get_current_user", _account="nobody")
    assert code_of(unknown.structured_content) == "unknown_account"
    assert services.stats().requests == {}


def test_w16_tool_that_the_policy_denies_stays_denied(user: Agent, services: Emulator) -> None:
    """W16: a tool call is no force."""
    result = user.call("integration__segment__identify_user", userId="u")
    assert code_of(result.structured_content) == "denied"
    assert services.stats().requests == {}


def test_write_deny_takes_away_the_tools_that_write() -> None:
    """The card: `--write deny`, in this mode, too."""
    tools = FunctionTools(Kosmo(environ={}), None, Scripts(), Offer(expose="tools")).tools()
    assert len(tools) > 10
    assert not [tool.name for tool in tools if tool.writes]


def test_long_name_is_shortened_the_same_way_each_time() -> None:
    """Ours: clients refuse names beyond 64 characters, and remember approvals by name."""
    integration = Integration(
        "a" * 40, title="A", summary="A.", credentials=Credentials, api=Api[Credentials]
    )

    @integration.read()
    def a_function_whose_name_is_long(api: Api[Credentials]) -> None:
        """Do nothing.

        Returns: nothing.
        """
        del api

    @integration.read()
    def a_function_whose_name_is_longer(api: Api[Credentials]) -> None:
        """Do nothing.

        Returns: nothing.
        """
        del api

    first, second = map(tool_name, integration.functions.values())
    assert first == "integration__aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa___3957d1e8"
    assert len(second) == LONGEST
    assert first != second


# Other MCP servers behind the gateway


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a gateway whose user has MCP servers: one that works, one that is broken, and it."""
    home = tmp_path_factory.mktemp("shelf")
    notes = str(home / "notes")
    library = str(ROOT / "tests" / "mcp_servers" / "library.py")
    servers = {
        "library": {"command": sys.executable, "args": [library], "env": {"NOTES": notes}},
        "broken": {"command": str(home / "no-such-program")},
        "kosmo": {"command": COMMAND[0], "args": [*COMMAND[1:], "mcp:serve"]},
    }
    home.joinpath("mcp.json").write_text(json.dumps({"mcpServers": servers}))
    return {"KOSMO_HOME": str(home)}


def test_w16_scripts_call_other_servers_without_force(shelf: dict[str, str]) -> None:
    """W16: there, every such call failed. Upstream: the gateway is no server of its own."""
    with connected(stdio("--integration", "segment", env=shelf)) as agent:
        assert "- mcp.library: an MCP server." in str(agent.tools()["search_docs"].description)
        names = "Integrations: segment, mcp.broken, mcp.library."
        assert str(agent.client.instructions).endswith(names)
        echo = facts(agent, "run_read", 'return app.mcp.library.echo{text = "hi"}')
        assert (echo["success"], echo["result"]) == (True, "hi")
        note = 'return app.mcp.library.note{text = "hi"}'
        assert code_of(facts(agent, "run_read", note)) == "denied"
        assert facts(agent, "run_write", note)["success"]


def test_tools_of_other_servers_are_tools_of_the_gateway(shelf: dict[str, str]) -> None:
    """Upstream: `mcp__S__T`; a server that cannot be started costs only itself."""
    with connected(stdio("--expose", "tools", "--upstream", "library", env=shelf)) as agent:
        tools = {name: tool for name, tool in agent.tools().items() if name.startswith("mcp__")}
        assert {name.split("__")[1] for name in tools} == {"library"}
        echo, note = tools["mcp__library__echo"], tools["mcp__library__note"]
        assert [*echo.input_schema["properties"]] == ["text"]
        assert echo.annotations is not None
        assert note.annotations is not None
        assert (echo.annotations.read_only_hint, note.annotations.read_only_hint) == (True, False)
        result = agent.call("mcp__library__echo", text="hi")
        assert result.structured_content["result"] == "hi"


# What the gateway needs of Kosmo


def test_session_is_stopped_from_another_thread(services: Emulator) -> None:
    """Ours: a quiet script, too; and what comes after it does not begin."""
    services.fault(delay=60)
    kosmo = Kosmo(environ={}, emulator=services, isolation="process")
    with kosmo.session() as session, ThreadPoolExecutor() as threads:
        running = threads.submit(session.run, "app.integrations.segment.get_current_user()")
        poll(lambda: services.stats().requests)
        session.stop()
        result = running.result(timeout=5)
        assert result.error == "stopped by the program that runs it"
        assert result.error_info == ErrorInfo("interrupted", "interrupted")
        assert [call.effect for call in result.call_log] == ["unknown"]
        assert session.run("return 1").error == result.error


def test_session_in_a_thread_cannot_be_stopped() -> None:
    """Ours: a thread cannot be ended, and says so."""
    with Kosmo(environ={}).session() as session, pytest.raises(UsageError):
        session.stop()


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_kosmo_with_an_empty_list_has_none(isolation: Any, tmp_path: Path) -> None:
    """Ours: of integrations and of MCP servers; only the lack of a list means all."""
    (tmp_path / "mcp.json").write_text('{"mcpServers": {"s": {"command": "x"}}}')
    environ = {"KOSMO_HOME": str(tmp_path)}
    with Kosmo(environ=environ, only=[], servers=[], isolation=isolation) as kosmo:
        assert (kosmo.catalog.names, kosmo.mcp.states().servers) == ([], ())
        results = [
            kosmo.run(f"return {name}")
            for name in ("app.integrations.segment.get_current_user()", "app.mcp.s.t()")
        ]
    codes = [each.error_info.code for each in results if each.error_info]
    assert codes == ["unknown_integration", "unknown_integration"]
    with Kosmo(environ=environ, isolation=isolation) as kosmo:
        assert (kosmo.catalog.names, len(kosmo.mcp.states().servers)) == (
            ["posthog", "segment"],
            1,
        )


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_kosmo_with_some_integrations_has_no_other(isolation: Any) -> None:
    """Ours: also where the script runs in another process."""
    kosmo = Kosmo(environ={}, only=["segment"], isolation=isolation)
    result = kosmo.run("return app.integrations.posthog.list_persons()")
    assert result.error_info is not None
    assert result.error_info.code == "unknown_integration"
    assert kosmo.catalog.names == ["segment"]
    with pytest.raises(UnknownIntegration):
        _ = Kosmo(environ={}, only=["segmnt"]).catalog
