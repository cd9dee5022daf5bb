"""The commands that say what there is: integrations:list, search, docs, schema, examples."""

import json
import shlex
from collections.abc import Callable

import pytest
from conftest import Finished
from envelopes import assert_fits
from jsonschema import Draft202012Validator

from kosmo_lua import Kosmo as Embedded
from kosmo_lua import KosmoError
from kosmo_lua.emulator import Emulator

Kosmo = Callable[..., Finished]


@pytest.fixture
def kosmo(here: Kosmo) -> Kosmo:
    """Run the commands in this process: there are many."""
    return here


def failure(document: dict[str, object]) -> tuple[object, object]:
    """Return the code and the hint of a document's error."""
    info = document["error_info"]
    assert isinstance(info, dict)
    return info["code"], info["hint"]


def test_list_has_every_function_of_every_integration(kosmo: Kosmo) -> None:
    """Upstream: providers with their functions; `configured` says whether there is a credential."""
    done = kosmo("integrations:list", "--json", env={"SEGMENT_WRITE_KEY": "a-write-key"})
    document = done.json()
    assert (done.status, done.stderr) == (0, "")
    assert_fits("integrations:list", document)
    segment, posthog = (document["providers"][name] for name in ("segment", "posthog"))
    assert (segment["configured"], posthog["configured"]) == (True, False)
    assert segment["functions"][0] == {
        "function": "segment.identify_user",
        "access": "write",
        "summary": "Identify a user in Segment with their traits.",
    }
    assert (len(segment["functions"]), len(posthog["functions"])) == (9, 21)


def test_list_is_a_table_for_people(kosmo: Kosmo) -> None:
    """Upstream: provider, functions, status."""
    lines = kosmo("integrations:list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["Provider", "Functions"],
        ["posthog", "21"],
        ["segment", "9"],
    ]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["identify"], "segment.identify_user"),
        (["create", "feature", "flag"], "posthog.posthog_create_feature_flag"),
        (["Create Feature Flag"], "posthog.posthog_create_feature_flag"),
    ],
)
def test_search_shows_the_function_that_is_meant_first(
    kosmo: Kosmo, words: list[str], first: str
) -> None:
    """Upstream: words find functions, the best first."""
    document = kosmo("integrations:search", *words, "--json").json()
    assert_fits("integrations:search", document)
    assert document["query"] == " ".join(words)
    assert document["functions"][0]["function"] == first
    assert kosmo("integrations:search", *words).stdout.split()[0] == first


def test_search_without_a_hit_is_an_empty_answer(kosmo: Kosmo) -> None:
    """Ours: to find nothing is no failure."""
    done = kosmo("integrations:search", "qqqqqqqq", "--json")
    assert (done.status, done.json()["functions"], done.json()["pages"]) == (0, [], [])
    assert kosmo("integrations:search", "qqqqqqqq") == Finished(
        0, 'Nothing found for "qqqqqqqq".\n', ""
    )


@pytest.mark.parametrize("name", ["segment.track", "app.integrations.segment.track_event"])
def test_docs_show_a_page_by_any_spelling(kosmo: Kosmo, name: str) -> None:
    """The card: as text, as Markdown, and as JSON, which has the Markdown."""
    markdown = Embedded(environ={}).reference.read("segment.track")
    assert kosmo("integrations:docs", name, "--format", "markdown").stdout == markdown
    for option in (["--format", "json"], ["--format=json"], ["--json"]):
        document = kosmo("integrations:docs", name, *option).json()
        assert_fits("integrations:docs", document)
        assert (document["page"], document["markdown"]) == ("segment.track_event", markdown)
    text = kosmo("integrations:docs", name).stdout
    assert text.startswith("app.integrations.segment.track_event\n\nTrack a custom event")
    assert not {"`", "#", "|"} & {*text}


def test_docs_without_a_page_list_all_of_them(kosmo: Kosmo) -> None:
    """Upstream: the index."""
    text = kosmo("integrations:docs").stdout
    assert "kosmo integrations:docs PAGE" in text
    assert all(f"- {name}" in text for name in ("segment", "segment.track_event", "errors"))


def test_schema_is_bare_or_in_an_envelope(kosmo: Kosmo) -> None:
    """Upstream: the output is a JSON Schema; with --json it is one field of an envelope."""
    bare = kosmo("integrations:schema", "segment.track").json()
    Draft202012Validator.check_schema(bare)
    assert (bare["title"], bare["required"]) == ("segment.track_event", ["event", "userId"])
    document = kosmo("integrations:schema", "segment.track", "--json").json()
    assert_fits("integrations:schema", document)
    assert (document["function"], document["schema"]) == ("segment.track_event", bare)


def test_examples_are_lua_and_a_command(kosmo: Kosmo) -> None:
    """The card: of a function, or of all functions of an integration."""
    document = kosmo("integrations:examples", "segment", "--json").json()
    assert_fits("integrations:examples", document)
    assert len(document["examples"]) == 9
    (example,) = kosmo("integrations:examples", "segment.track", "--json").json()["examples"]
    assert example in document["examples"]
    text = kosmo("integrations:examples", "segment.track").stdout
    assert text == f"-- segment.track_event\n{example['lua']}\n\n-- {example['command']}\n"


def test_every_example_command_runs(kosmo: Kosmo, kosmo_emulator: Emulator) -> None:
    """Ours: what a page shows can be copied."""
    reference = Embedded().reference
    found = [e for name in ("segment", "posthog") for e in reference.examples(name).examples]
    commands = {example.command for example in found}
    assert len(commands) == 30
    for command in commands:
        kosmo_emulator.reset()
        assert kosmo(*shlex.split(command)[1:]).status == 0, command


@pytest.mark.parametrize(
    ("arguments", "code", "status", "words"),
    [
        (["docs", "segment.trak"], "invalid_arguments", 65, "Did you mean: segment.track"),
        (["docs", "nothing-like-it"], "invalid_arguments", 65, "there is no page"),
        (["examples", "segmnt"], "invalid_arguments", 65, "Did you mean: segment"),
        (["examples", "errors"], "invalid_arguments", 65, "errors is a guide"),
        (["schema", "segment.trak"], "unknown_function", 65, "Did you mean: track"),
        (["schema", "segmnt.track"], "unknown_integration", 65, "Did you mean: segment"),
        (["schema"], "usage", 2, "Missing argument 'FUNCTION'"),
        (["search"], "usage", 2, "Missing argument 'WORDS...'"),
        (["list", "--jsn"], "usage", 2, "No such option"),
        (["docs", "--format", "html"], "usage", 2, "'html' is not one of"),
    ],
)
def test_w12_errors_go_to_stderr_or_into_the_envelope_and_never_exit_with_0(
    kosmo: Kosmo, arguments: list[str], code: str, status: int, words: str
) -> None:
    """W12: an unknown page was text on stdout and exit 0."""
    command = f"integrations:{arguments[0]}"
    shown = kosmo(command, *arguments[1:])
    assert (shown.status, shown.stdout) == (status, "")
    assert shown.stderr.startswith("error: ")
    assert words in shown.stderr
    done = kosmo(command, *arguments[1:], "--json")
    assert (done.status, done.stderr) == (status, "")
    assert_fits(command, done.json())
    assert failure(done.json())[0] == code


def test_hints_of_commands_are_commands(kosmo: Kosmo) -> None:
    """Ours: who is at a shell is not told what a script would write."""
    document = kosmo("integrations:schema", "segment.trak", "--json").json()
    assert failure(document) == ("unknown_function", "List them: kosmo integrations:docs")


def test_programs_have_the_same_answers() -> None:
    """Ours: the behaviour is in Kosmo.reference; the commands print it."""
    reference = Embedded(environ={"KOSMO_SEGMENT_WRITE_KEY": "key"}).reference
    assert reference.listing().providers["segment"].configured
    assert reference.find("identify").functions[0].function == "segment.identify_user"
    assert json.dumps(reference.schema("segment.group").schema)
    with pytest.raises(KosmoError) as caught:
        reference.examples("nothing")
    assert caught.value.code == "invalid_arguments"
