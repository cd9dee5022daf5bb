"""The docs that a script, or the agent that writes it, can read: docs.list, docs.search, docs.read."""

import json
import re
import shlex
from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

from kosmo_lua import Kosmo
from kosmo_lua.emulator import Emulator
from kosmo_lua.errors import CODES, KosmoError
from kosmo_lua.integration import Api, Credentials, Field, Integration, JsonObject, Params, setting
from kosmo_lua.reference import GUIDES
from kosmo_posthog import posthog
from kosmo_segment import segment

POSTHOG = [function.full_name for function in posthog.functions.values()]
FUNCTIONS = [function.full_name for function in segment.functions.values()]


def evaluate(code: str) -> Any:
    """Return what Lua code returns that must succeed."""
    result = Kosmo(environ={}).run(code)
    assert result.error is None
    return result.result


def read(page: str) -> str:
    """Read a page from Lua."""
    return str(Kosmo(environ={}).run("return docs.read(arg[1])", arguments=[page]).result)


def fence(page: str, language: str) -> list[str]:
    """Return the code blocks of a page that are in this language."""
    return re.findall(rf"```{language}\n(.*?)```", read(page), re.DOTALL)


def test_a_function_page_has_everything_that_a_caller_needs() -> None:
    """The card: description, access, spellings, parameters, credential, examples, result, errors."""
    assert read("segment.track_event") == dedent(
        """\
        # app.integrations.segment.track_event

        Track a custom event for a user in Segment.

        Records an action of a user, with optional properties that describe it.

        - Access: write (needs approval: `--force`, `KOSMO_SEGMENT_WRITE=allow`, or a yes when asked)
        - Credential: `write_key` (`KOSMO_SEGMENT_WRITE_KEY`)
        - Also spelt: `segment.track_event`, `segment.track`, `segment.segment_track_event`, `segment.segment_track`

        ## Parameters

        | Name | Type | Required | Description | Default |
        |---|---|---|---|---|
        | `event` | string | yes | The name of the event being tracked (e.g., "Order Completed"). |  |
        | `userId` | string | yes | The unique identifier for the user in your database. |  |
        | `properties` | object | no | Key-value pairs of event properties (e.g., revenue, category, productId). |  |

        ## Example

        ```lua
        app.integrations.segment.track_event({
          event = "Order Completed",
          userId = "user-42",
          properties = {revenue = 99.99, currency = "USD", quantity = 2}
        })
        ```

        ## On the command line

        ```sh
        kosmo integrations:call segment.track_event '{"event": "Order Completed", "userId": "user-42", "properties": {"revenue": 99.99}}' --force --json
        ```

        ## Returns

        `{success = true, message_id = "..."}`. Success means that Segment received the event, not that
        it is valid or was delivered.

        ## Errors

        - `invalid_arguments`: The arguments do not fit the function.
        - `approval_required`: The call is a write that nobody approved; nothing was sent.
        - `denied`: The policy denies the call; nothing was sent.
        - `credentials_missing`: The account lacks the credential that the call needs.
        - `unreachable`: The service could not be reached, or cut the connection.
        - `timed_out`: The service did not answer in time.
        - `rate_limited`: The service answered 429: it asks to slow down.
        - `service_error`: The service answered with an error.

        `docs.read("errors")` tells how to handle them.

        Source: https://segment.com/docs/connections/spec/track/
        """  # noqa: E501  # as it is shown
    )


def test_a_function_without_parameters_says_so() -> None:
    """The card: get_current_user takes none."""
    page = read("segment.get_current_user")
    assert "## Parameters\n\nNone.\n" in page
    assert "integrations:call segment.get_current_user --json" in page
    assert "- Access: read (allowed unless the policy says otherwise)\n" in page


def logged(function: str) -> str:
    """Return the name of its calls: those of an iterator are calls of what it lists."""
    return segment.functions[function.partition(".")[2]].log_name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_lua_example_of_a_page_runs(function: str, kosmo_emulator: Emulator) -> None:
    """Ours: a page shows nothing that does not work."""
    examples = fence(function, "lua")
    assert examples
    for example in examples:
        result = Kosmo().run(example)
        called = [call.function for call in result.call_log]
        assert (result.error, called) == (None, [logged(function)])
    writes = segment.functions[function.partition(".")[2]].access == "write"
    assert [event["accepted"] for event in kosmo_emulator.events()] == [True] * writes


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_command_of_a_page_runs(
    function: str, kosmo_emulator: Emulator, kosmo: Callable[..., Any]
) -> None:
    """Ours: it can be pasted into a shell as it is."""
    (command,) = fence(function, "sh")
    program, *arguments = shlex.split(command)
    done = kosmo(*arguments, env={"KOSMO_SEGMENT_WRITE": "ask"})
    assert (program, done.status, done.json()["success"]) == ("kosmo", 0, True)
    assert [call["function"] for call in done.json()["call_log"]] == [logged(function)]
    assert [event["reason"] for event in kosmo_emulator.events()] == [None] * (
        "--force" in arguments
    )


@pytest.mark.parametrize(
    "name", ["segment", "integrations.segment", "app.integrations.segment", " segment "]
)
def test_the_page_of_an_integration_has_its_functions_settings_and_guide(name: str) -> None:
    """The card: docs.read("integrations.segment") is the whole namespace on one page."""
    page = read(name)
    assert page.startswith("# Segment\n\nSend users, events, page views and groups;")
    assert "Lua namespace: `app.integrations.segment`." in page
    for function in segment.functions.values():
        names = ", ".join(f"`{name}`" for name in (function.name, *function.aliases))
        assert f"| {names} | {function.access} | {function.summary} |\n" in page
    for setting_name, field in segment.credentials.model_fields.items():
        assert f"| `{setting_name}` | `KOSMO_SEGMENT_{setting_name.upper()}`" in page
        assert f" | {field.description} |\n" in page
    assert page.endswith(segment.guide)


def test_every_page_that_is_listed_can_be_read() -> None:
    """The card: docs.list names each integration, each function with its access, and the guides."""
    index = evaluate("return docs.list()")
    pages = re.findall(r"^ *- `([^`]+)`", index, re.MULTILINE)
    assert pages == ["posthog", *POSTHOG, "segment", *FUNCTIONS, *GUIDES]
    assert {"overview", "errors", "examples", "accounts", "delivery", "mcp"} == {*GUIDES}
    assert "`segment.track_event` (write): Track a custom event" in index
    assert "`segment.get_source` (read): Get details" in index
    for page in pages:
        assert read(page).startswith("# ")


def test_the_errors_guide_has_every_code_with_its_exit_status() -> None:
    """Ours: the table is made from the one in the code."""
    page = read("errors")
    for code, meaning in CODES.items():
        assert f"| `{code}` | {meaning.exit_status} | {meaning.sentence} |" in page


def test_the_globals_are_the_same_functions() -> None:
    """The card: lua_read_doc, lua_search_docs and lua_list_docs, as agents call them."""
    same = """
        return {
            lua_read_doc == docs.read, lua_search_docs == docs.search, lua_list_docs == docs.list,
            lua_read_doc("integrations.segment") == docs.read("segment"),
        }
    """
    assert evaluate(same) == [True] * 4


@pytest.mark.parametrize(
    ("page", "near"),
    [
        ("segment.trak", "Did you mean: segment.track, "),
        ("app.integrations.segment.idntify", "Did you mean: segment.identify"),
        ("segment_trak", "Did you mean: segment.track, "),
        ("segmnt", "Did you mean: segment"),
        ("overvew", "Did you mean: overview?"),
        ("error", "Did you mean: errors"),
        ("segment.a.b.track", "Did you mean: segment.track, "),
        ("qqqqqqqq", "docs.list() shows every page."),
    ],
)
def test_an_unknown_page_suggests_the_nearest_ones(page: str, near: str) -> None:
    """The card: a wrong name says what was meant."""
    result = Kosmo(environ={}).run("local x = docs.read(arg[1])", arguments=[page])
    assert result.error
    assert result.error.startswith(f'eval:1: docs.read: there is no page "{page}". {near}')
    assert result.error_info
    assert (result.error_info.code, result.exit_status) == ("invalid_arguments", 65)


@pytest.mark.parametrize(
    ("code", "example"),
    [
        ("docs.read()", "segment.identify_user"),
        ("docs.read({})", "segment.identify_user"),
        ('docs.read(("x"):rep(201))', "segment.identify_user"),
        ('docs.search(" ")', "identify"),
        ("docs.search(5)", "identify"),
    ],
)
def test_a_page_is_asked_for_with_a_text(code: str, example: str) -> None:
    """Ours: a wrong argument is told with a right one."""
    result = Kosmo(environ={}).run(code)
    name = code.partition("(")[0]
    takes = f'takes a text of at most 200 characters, for example {name}("{example}")'
    assert result.error_info
    assert result.error_info.code == "invalid_arguments"
    assert result.error == f"eval:1: {name} {takes}"


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("identify", "segment.identify_user"),
        ("IDENTIFY a user", "segment.identify_user"),
        ("track an event", "segment.track_event"),
        ("write key of a source", "segment.get_source"),
        ("segment", "segment"),
        ("exit status", "errors"),
    ],
)
def test_a_search_finds_the_page_that_is_about_it(query: str, first: str) -> None:
    """The card: docs.search leads to the page to read next."""
    found = Kosmo(environ={}).run("return docs.search(arg[1])", arguments=[query]).result
    lines = str(found).splitlines()
    assert lines[0] == f'Pages about "{query}":'
    assert lines[2].startswith(f"- `{first}`: ")
    assert len(lines) <= 12


def test_a_search_without_a_hit_says_so() -> None:
    """Ours: an empty answer would leave an agent guessing."""
    assert evaluate('return docs.search("qqqqqqqq")') == (
        'Nothing found for "qqqqqqqq". docs.list() shows every page.'
    )


def test_the_docs_need_neither_credentials_nor_permission() -> None:
    """Ours: reading about a function is always possible, and calls nothing."""
    environ = {"KOSMO_SEGMENT_READ": "deny", "KOSMO_SEGMENT_REGION": "mars"}
    result = Kosmo(environ=environ).run('return docs.list() .. docs.read("segment.track")')
    assert (result.success, result.call_log) == (True, ())


def test_a_program_reads_the_same_pages() -> None:
    """Ours: Kosmo.reference is what the Lua table docs shows."""
    reference = Kosmo(environ={}).reference
    assert reference.read("segment.track") == read("segment.track")
    with pytest.raises(KosmoError) as caught:
        reference.read("segment.trak")
    assert caught.value.code == "invalid_arguments"


# A page whatever the declaration says


class Settings(Credentials):
    """The settings of a service with awkward texts."""

    mode: str = setting("Either a | b,\nnothing else.", default="a")


awkward = Integration(
    "awkward", title="Awkward", summary="Has odd texts.", credentials=Settings, api=Api[Settings]
)


class Odd(Params):
    """Parameters with odd descriptions."""

    text: str = Field(description="One of a | b.\nOr c.", examples=['it\'s "so"\n\\'])
    count: int = Field(7, description="A number.", examples=[3])
    flag: bool = Field(default=True, description="A switch.")
    names: list[str] | None = Field(None, description="Names.", examples=[["a", "b"]])


@awkward.read()
def echo(api: Api[Settings], odd: Odd) -> JsonObject:
    """Give the parameters back.

    Returns: them.
    """
    del api
    return odd.wire()


def test_odd_texts_do_not_break_a_page() -> None:
    """Ours: a table keeps its columns, defaults are Lua, and the command survives any quote."""
    lua = Kosmo(integrations=[awkward], environ={})
    page = lua.reference.read("awkward.echo")
    table = page.partition("|---|---|---|---|---|\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [
        r"| `text` | string | yes | One of a \| b. Or c. |  |",
        "| `count` | integer | no | A number. | `7` |",
        "| `flag` | boolean | no | A switch. | `true` |",
        "| `names` | array | no | Names. |  |",
    ]
    assert r"| `mode` | `KOSMO_AWKWARD_MODE` | Either a \| b, nothing else. |" in (
        lua.reference.read("awkward")
    )
    command = page.partition("```sh\n")[2].partition("\n```")[0]
    name, payload = shlex.split(command)[2:4]
    assert lua.call(name, json.loads(payload)) == {
        "text": 'it\'s "so"\n\\',
        "count": 3,
        "flag": True,
        "names": ["a", "b"],
    }
