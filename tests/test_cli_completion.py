"""Shell completion, as the shells ask for it; and once in a real bash, which ends words at colons."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Finished
from pseudo_terminal import Terminal

Kosmo = Callable[..., Finished]
Start = Callable[..., subprocess.Popen[bytes]]

WORK = {"KOSMO_SEGMENT__WORK__WRITE_KEY": "key"}


@pytest.fixture
def complete(kosmo: Kosmo) -> Callable[[str], list[str]]:
    """Complete a line as zsh hands it over; return the values."""

    def complete(line: str) -> list[str]:
        words = shlex.split(line)
        count = len(words) - (not line.endswith(" "))
        env = {"_KOSMO_COMPLETE": "zsh_complete", "COMP_WORDS": line, "COMP_CWORD": str(count)}
        done = kosmo(env={**env, **WORK})
        assert (done.status, done.stderr) == (0, "")
        return [value.replace("\\:", ":") for value in done.stdout.splitlines()[1::3]]

    return complete


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kosmo integrations:sea", ["integrations:search"]),
        ("kosmo integrations:pos", ["integrations:posthog"]),
        ("kosmo em", ["emulator"]),
        ("kosmo integrations:call segment.tr", ["segment.track_event", "segment.track"]),
        ("kosmo integrations:call --json posthog.cr", ["posthog.create_feature_flag"]),
        ("kosmo integrations:posthog create", ["create_feature_flag"]),
        ("kosmo integrations:call segment.track --user-", ["--user-id"]),
        ("kosmo integrations:segment track --eve", ["--event"]),
        ("kosmo integrations:call segment.track --dry", ["--dry-run"]),
        ("kosmo integrations:call segment.track --account ", ["default", "work"]),
        ("kosmo integrations:test segment --account=w", ["work"]),
        ("kosmo integrations:call posthog.create_feature_flag --active ", ["true", "false"]),
        ("kosmo integrations:docs seg", ["segment", "segment.identify_user"]),
        ("kosmo integrations:docs err", ["errors"]),
        ("kosmo integrations:schema segment.grou", ["segment.group"]),
        ("kosmo integrations:doctor po", ["posthog"]),
        ("kosmo integrations:docs --format ", ["text", "markdown", "json"]),
    ],
)
def test_commands_functions_accounts_and_flags_are_completed(
    complete: Callable[[str], list[str]], line: str, expected: list[str]
) -> None:
    """The card: what can be typed next, from the declarations."""
    assert complete(line)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("kosmo integrations : sea", ["search"]),
        ("kosmo integrations :", ["lua", "list", "search"]),
        ("kosmo integrations : call segment.gr", ["segment.group"]),
        ("kosmo integrations : test segment --account = w", ["work"]),
        ("kosmo integ", ["integrations:lua", "integrations:list", "integrations:search"]),
    ],
)
def test_bash_ends_words_at_colons(kosmo: Kosmo, words: str, expected: list[str]) -> None:
    """Bash: COMP_WORDBREAKS has `:` and `=`, so that only what stands behind the colon is replaced."""
    env = {
        "_KOSMO_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = kosmo(env={**env, **WORK})
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines()[: len(expected)] == [f"plain,{value}" for value in expected]


def test_an_unknown_function_has_no_flags(complete: Callable[[str], list[str]]) -> None:
    """Ours: nothing is made up, and nothing is said."""
    assert "--event" not in complete("kosmo integrations:call segment.trak --")
    assert "identify_user" not in complete("kosmo integrations:segmnt ")


def test_a_tab_in_bash(start: Start, terminal: Terminal, tmp_path: Path) -> None:
    """The card: the line of docs/cli.md switches it on."""
    folder = Path(sys.executable).parent
    environ = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PS1": "ready> ",
        "TERM": "dumb",
    }
    start(
        program=["bash", "--norc", "--noprofile", "-i"],
        stdin=terminal.descriptor,
        stdout=terminal.descriptor,
        stderr=terminal.descriptor,
        env={**environ, "HOME": str(tmp_path), "BASH_SILENCE_DEPRECATION_WARNING": "1"},
    )
    terminal.wait_for("ready> ")
    terminal.type('eval "$(_KOSMO_COMPLETE=bash_source kosmo)"; echo on\r')
    terminal.wait_for("\non")
    terminal.wait_for("ready> ")
    terminal.type("kosmo integrations:sea\t")
    terminal.wait_for("integrations:search")
    terminal.type("\x15kosmo integrations:call segment.ident\t")
    terminal.wait_for("ify")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(kosmo: Kosmo, shell: str) -> None:
    """The card: bash, zsh and fish."""
    done = kosmo(env={"_KOSMO_COMPLETE": f"{shell}_source"})
    assert done.status == 0
    assert f"_KOSMO_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize("instruction", ["nope_source", "bash_nope", "tcsh_complete", "bash"])
def test_an_unknown_instruction_is_told(kosmo: Kosmo, instruction: str) -> None:
    """Ours: it is no shell that asks, as each has a script of ours."""
    done = kosmo("integrations:list", env={"_KOSMO_COMPLETE": instruction})
    sentence = (
        f"_KOSMO_COMPLETE is {instruction}: it must be bash_source or zsh_source or fish_source"
    )
    hint = "Unset it, unless a shell is to complete what you type."
    assert done == Finished(2, "", f"error: {sentence}\nhint: {hint}\n")


def test_an_empty_instruction_is_none(kosmo: Kosmo) -> None:
    """Ours: as of every variable of the environment."""
    env = {"_KOSMO_COMPLETE": ""}
    assert kosmo("integrations:lua", "--eval", "return 1", env=env) == Finished(0, "1\n", "")
