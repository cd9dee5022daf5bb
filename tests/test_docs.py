"""The docs are true: what is generated is current, what can run runs, and says what it is said to say.

How a fence is tested follows from its language:

    lua         runs on the emulator and must succeed
    sh          runs in a temporary folder, where `examples/` is, and must exit with 0; where there is
                no curl, a fence that uses it is left out
    python      runs in one namespace for the page
    json, toml  must be well-formed
    text        right below one of these: what it prints, where `...` stands for anything
    console     is not run: commands that install, or that need a terminal

A fence whose first line is a comment with a file name, `-- workflow.lua`, is saved under that name and not
run: a later fence of the page has to use the file. A file of `examples/` is there already: all fences with
its name, one after the other, must be that file, blank lines apart.
"""

import contextlib
import doctest
import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import ROOT, Finished
from jsonschema import Draft202012Validator
from sybil import Document, Example, Region
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from kosmo_lua import Kosmo, Limits
from kosmo_lua.cli import cli, group
from kosmo_lua.emulator import Emulator

PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("kosmo_lua/guides/*.md")),
    *sorted(ROOT.glob("integrations/*/guide.md")),
]
EXAMPLES = sorted(ROOT.glob("examples/*.lua"))
SCHEMA = ROOT / "docs" / "reference" / "envelope.schema.json"
BIN = Path(sys.executable).parent


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_generated_pages_are_current() -> None:
    """Ours: the reference is made from the declarations, so `make docs` has nothing to do."""
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own script
    assert (done.returncode, done.stderr) == (0, "")


class _Page:
    """Runs the fences of one page, in order."""

    def __init__(self, folder: Path, emulating: Kosmo) -> None:
        self._folder = folder
        self._emulating = emulating
        self._namespace: dict[str, Any] = {"__name__": "docs"}
        self._saved: set[str] = set()
        self._quoted: dict[Path, list[str]] = {}

    def parse(self, document: Document) -> Iterable[Region]:
        """Find the fences: sybil's parser for one page."""
        lexer = FencedCodeBlockLexer(
            language=r"\w*", mapping={"language": "language", "source": "source"}
        )
        end = 0
        for region in sorted(lexer(document), key=lambda region: region.start):
            if region.start >= end:  # not one inside another, in a docstring
                yield Region(region.start, region.end, region, self.evaluate)
                end = region.end

    def evaluate(self, example: Example) -> str | None:
        """Test a fence, and return what is wrong with it."""
        language, source = (str(example.parsed.lexemes[name]) for name in ("language", "source"))
        saved = re.match(r"(?:--|#) ([\w./-]+\.(?:lua|py|toml|yml))\n", source)
        if saved and saved[1].startswith("examples/"):
            self._quoted.setdefault(ROOT / saved[1], []).extend(_lines(source)[1:])
            return None
        if saved:
            self._save(saved[1], source)
            return None
        self._saved -= {name for name in self._saved if re.split(r"[/.]", name)[0] in source}
        check = getattr(self, f"_on_{language}", None)
        if check is None:
            return f"no test knows what a fence of {language or 'no language'} is"
        shown = re.match(r"\s*```text\n(.*?)```", example.document.text[example.end :], re.DOTALL)
        if language == "sh" and "curl" in source and not shutil.which("curl"):
            return None
        return self._compare(check(source), shown[1] if shown else None)

    def finish(self) -> None:
        """Fail for a file that no fence has used, and for one of `examples/` that is not as quoted."""
        assert not self._saved
        for path, lines in self._quoted.items():
            assert lines == _lines(path.read_text(encoding="utf-8")), path

    def _save(self, name: str, source: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
        if name != "conftest.py":  # which pytest finds by itself
            self._saved.add(name)

    def _compare(self, output: str, shown: str | None) -> str | None:
        checker, flags = doctest.OutputChecker(), doctest.ELLIPSIS
        if shown is None or checker.check_output(shown, output, flags):
            return None
        return f"it prints:\n{output}"

    def _on_lua(self, source: str) -> str:
        result = self._emulating.run(source)
        assert result.success, result.error
        return result.output + "\n"

    def _on_sh(self, source: str) -> str:
        done = subprocess.run(  # noqa: S603  # our own docs
            ["sh", "-e", "-c", source],  # noqa: S607  # whatever the system has
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _on_python(self, source: str) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(source, "docs", "exec"), self._namespace)  # noqa: S102  # our own docs
        return output.getvalue()

    def _on_json(self, source: str) -> str:
        json.loads(source)
        return ""

    def _on_toml(self, source: str) -> str:
        tomllib.loads(source)
        return ""

    def _on_text(self, source: str) -> str:
        return source

    def _on_console(self, source: str) -> str:
        return source


@pytest.fixture(scope="module")
def emulating() -> Iterator[Kosmo]:
    """Serve an emulator for the Lua fences."""
    with Kosmo(emulator=True, environ={}) as kosmo:
        yield kosmo


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_fences_run(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kosmo_emulator: Emulator,  # the environment of the commands leads there, not to Segment
    emulating: Kosmo,
) -> None:
    """Ours: what a page shows works as shown."""
    del kosmo_emulator
    monkeypatch.delenv("KOSMO_SEGMENT_WRITE")  # pages show who may write
    monkeypatch.delenv("KOSMO_RETRY_BUDGET")  # pages show what happens by default
    monkeypatch.setenv("KOSMO_HOME", str(tmp_path / "home"))  # the page's own
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")  # kosmo, and its Python
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.syspath_prepend(tmp_path / "examples" / "kosmo-weather")  # as if it were installed
    page = _Page(tmp_path, emulating)
    for example in Document.parse(str(path), page.parse):
        example.evaluate()
    page.finish()


@pytest.mark.parametrize("path", EXAMPLES, ids=_name)
def test_examples_print_what_their_header_says(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours: each example names its command, its output and a failing exit status, and all are true."""
    monkeypatch.delenv("KOSMO_RETRY_BUDGET")  # as who copies it has none
    header = path.read_text(encoding="utf-8").removeprefix("--[[\n").partition("\n]]\n")[0]
    pattern = r".*\n\nRun:\n\n(.*)\n\nOutput:\n\n(.*?)(?:\n\nExit status: (\d+))?"
    parts = re.fullmatch(pattern, header, re.DOTALL)
    assert parts, "the header needs its parts Run: and Output:"
    command, output = (textwrap.dedent(part) for part in parts.groups()[:2])
    assert _name(path) in command
    done = subprocess.run(  # noqa: S603  # our own example
        ["sh", "-c", command],  # noqa: S607  # whatever the system has
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == (output + "\n", int(parts[3] or 0))


def _code_lines(path: Path) -> int:
    code = path.read_text(encoding="utf-8").partition("\n]]\n")[2]
    return sum(1 for line in code.splitlines() if line)


def test_the_list_of_examples_has_each_smallest_first() -> None:
    """Ours: examples/README.md names every example, in the order of their length without the header."""
    listed = re.findall(r"\((\w+\.lua)\)", (ROOT / "examples" / "README.md").read_text("utf-8"))
    assert sorted(listed) == [path.name for path in EXAMPLES]
    lengths = [_code_lines(ROOT / "examples" / name) for name in listed]
    assert lengths == sorted(lengths)


EVENTS = json.dumps(
    [{"distinct_id": "user-1", "event": name} for name in "abc"], separators=(",", ":")
)
SENT = "3 of 3 events sent"
LOST = "event 1 may have been sent: unreachable\n2 of 3 events sent"


@pytest.mark.parametrize(
    ("fault", "budget", "output", "status"),
    [
        ({"status": 503}, "60", SENT, 0),
        ({"status": 503}, "0", EVENTS, 69),
        ({"cut": "after"}, "60", SENT, 0),
        ({"cut": "after"}, "0", LOST, 0),
        ({"retry_after": 3600}, "60", EVENTS, 75),
        ({"status": 401}, "60", EVENTS, 69),
    ],
    ids=["503", "outage", "answer lost", "lost for good", "429", "401"],
)
def test_the_example_of_failures_does_what_its_header_says(  # noqa: PLR0917  # a table
    fault: dict[str, Any],
    budget: str,
    output: str,
    status: int,
    kosmo_emulator: Emulator,
    kosmo: Callable[..., Finished],
) -> None:
    """Ours: send_events.lua loses no event, sends none twice, and hands back those that are left."""
    kosmo_emulator.fault(**fault)
    script = str(ROOT / "examples" / "send_events.lua")
    options = ("--retry-budget", budget)
    finished = kosmo("integrations:lua", script, *options, "--", EVENTS)
    assert (finished.stdout, finished.status) == (output + "\n", status)
    events: list[Any] = kosmo_emulator.events("posthog")
    arrived = len({event["message"]["uuid"] for event in events})
    assert arrived == (0 if status else 3)


COMMANDS: dict[str, tuple[list[str], int]] = {
    "success": (["--emulator", "-e", "dump(app.integrations.segment.get_current_user())"], 0),
    "result": (["-e", "return {1, json.null}, {a = {}}"], 0),
    "odd result": (["-e", "return print"], 0),
    "script error": (["-e", "error({code = 'mine', message = 'it broke'})"], 1),
    "syntax error": (["-e", "x("], 1),
    "failed call": (["--emulator", "-e", "app.integrations.segment.track({evnt = 1})"], 65),
    "unknown function": (["-e", "app.integrations.segment.trak()"], 65),
    "no credentials": (["-e", "app.integrations.segment.get_current_user()"], 78),
    "no approval": (["-e", "app.integrations.segment.group('org-1', 'user-42')"], 77),
    "usage": (["--cpu-limit", "much", "-e", "return 1"], 2),
    "missing file": (["no-such-file.lua"], 2),
    "no code": (["-e", " "], 2),
    "CPU limit": (["--cpu-limit", "0.05", "-e", "while true do end"], 124),
    "time limit": (["--timeout", "0.1", "-e", "('a'):rep(30):find(('a?'):rep(30) .. 'b')"], 124),
    "memory limit": (["--memory-limit", "200000", "-e", "local s = ('x'):rep(300000)"], 124),
}


@pytest.fixture(scope="module")
def envelope() -> Draft202012Validator:
    """Return the validator of the published schema."""
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", COMMANDS)
def test_envelopes_fit_the_published_schema(
    case: str, kosmo: Callable[..., Finished], envelope: Draft202012Validator
) -> None:
    """Ours: every outcome is one document with exactly the fields of docs/reference, in their order."""
    arguments, status = COMMANDS[case]
    finished = kosmo("integrations:lua", *arguments, "--json")
    document = finished.json()
    assert [error.message for error in envelope.iter_errors(document)] == []
    assert [*document] == json.loads(SCHEMA.read_text(encoding="utf-8"))["required"]
    assert finished.status == status


def test_results_in_python_fit_the_published_schema(envelope: Draft202012Validator) -> None:
    """Ours: Kosmo.run gives the same document as the command."""
    kosmo = Kosmo(environ={}, limits=Limits(cpu=0.05))
    for code in ("return 1", "error('no')", "while true do end", "docs.read('nothing')"):
        assert [error.message for error in envelope.iter_errors(kosmo.run(code).to_dict())] == []


LINK = r"\[[^\]]+\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)"


def _anchors(markdown: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_lead_somewhere(path: Path) -> None:
    """Ours: a link in the docs leads to a file, and to a heading of it, that is there."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(LINK, prose):
        file = path.parent / target if target else path
        assert file.exists(), target
        if anchor:
            assert anchor in _anchors(file.read_text(encoding="utf-8")), f"{target}#{anchor}"


def _part(page: str, command: str) -> str:
    """Return the section of a command, with what its part of the page says of all; else the whole page."""
    part = ""
    for section in re.split(
        r"^(?=##)", (ROOT / "docs" / page).read_text(encoding="utf-8"), flags=re.MULTILINE
    ):
        part = part if section.startswith("###") else section
        if re.match(rf"###? kosmo {command}\n", section):
            return part + section
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", group.COMMANDS)
def test_every_option_of_a_command_is_in_its_section(name: str) -> None:
    """Ours: who reads the page knows all that a command can do."""
    context = click.Context(cli)
    command: click.Command | None = cli.get_command(context, name)
    if name == "integrations:call":  # its options are those of each function
        assert isinstance(command, click.Group)
        command = command.get_command(context, "segment.get_current_user")
    assert command
    text = _part("mcp.md" if name.startswith("mcp:") else "cli.md", name)
    if name == "mcp:lua":
        text = _part("cli.md", "integrations:lua")
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    missing = [
        each.opts
        for each in options
        if "--help" not in each.opts
        and not any(re.search(rf"(?<![\w-]){spelling}(?![\w-])", text) for spelling in each.opts)
    ]
    assert missing == []
