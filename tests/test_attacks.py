"""Every script of lua/attacks has the outcome that its header promises, wherever it runs."""

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attacks import ANYTHING, ATTACKS, ENDLESS, Attack, read
from conftest import ROOT, Finished
from jsonschema import Draft202012Validator

from kosmo_lua import Kosmo
from kosmo_lua.errors import CODES
from kosmo_lua.isolation import Isolation

SOON = 10.0
"""Seconds within which a script of the folder has ended, on a machine that is busy."""

OPTIONS = {
    "cpu": "cpu-limit",
    "wall": "timeout",
    "memory": "memory-limit",
    "output": "output-limit",
    "result": "result-limit",
    "calls": "call-limit",
}

HOST = re.compile(
    r"0x[0-9a-f]{6,}|<class |<function |object at |Traceback \(|\.py\b|"
    + "|".join(re.escape(str(path)) for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix)))
)
"""What belongs to the host: an address, words of Python, folders."""

ISOLATIONS: list[Isolation] = ["thread", "process"]
EMBEDDED = [
    pytest.param(isolation, attack, id=f"{isolation}-{attack.name}")
    for isolation in ISOLATIONS
    for attack in ATTACKS
    if isolation != "thread" or not attack.needs_process
]


@pytest.fixture(scope="module")
def envelope() -> Draft202012Validator:
    """Return the validator of the published schema."""
    schema = ROOT / "docs" / "reference" / "envelope.schema.json"
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def kind_of(document: dict[str, Any]) -> str:
    """Return the type of the error in an envelope, empty where there is none."""
    return document["error_info"]["type"] if document["error_info"] else ""


def check(attack: Attack, text: str, envelope: Draft202012Validator) -> None:
    """Assert that an envelope says what the header of the script says, and nothing of the host."""
    document = json.loads(text)
    assert [problem.message for problem in envelope.iter_errors(document)] == []
    assert kind_of(document) in (attack.errors or ("",)), document["error"]
    assert attack.message in (document["error"] or "")
    if attack.result != ANYTHING:
        # As texts, in which 1, 1.0 and true are not the same.
        assert json.dumps(document["result"]) == json.dumps(attack.result)
    assert len(text) <= attack.document
    assert HOST.findall(text) == []


OF_THE_PROCESS = [
    attack for attack in ATTACKS if attack.name.partition("/")[0] in ("memory", "stack", "time")
]
"""What the command could end otherwise; what a script can reach is the same wherever it runs."""


@pytest.mark.parametrize("attack", OF_THE_PROCESS, ids=lambda attack: attack.name)
def test_command_ends_every_script_as_promised(
    kosmo: Callable[..., Finished],
    tmp_path: Path,
    envelope: Draft202012Validator,
    attack: Attack,
) -> None:
    """The card: one document, its exit status, and nothing else."""
    (tmp_path / attack.file).write_text(attack.code, encoding="utf-8")
    limits = [f"--{OPTIONS[name]}={value}" for name, value in attack.limits._asdict().items()]
    began = time.monotonic()
    done = kosmo("integrations:lua", attack.file, "--json", *limits)
    assert time.monotonic() - began < SOON
    check(attack, done.stdout, envelope)
    info = done.json()["error_info"]
    assert done.status == (CODES[info["code"]].exit_status if info else 0)
    assert done.stderr == ""


@pytest.mark.parametrize(("isolation", "attack"), EMBEDDED)
def test_library_ends_every_script_as_promised(
    envelope: Draft202012Validator, isolation: Isolation, attack: Attack
) -> None:
    """Ours: a thread ends all but those that are marked, a process of its own ends all."""
    began = time.monotonic()
    with Kosmo(environ={}, limits=attack.limits, isolation=isolation) as kosmo:
        result = kosmo.run(attack.code, name=attack.file)
    assert time.monotonic() - began < SOON
    check(attack, result.to_json(), envelope)


LARGE_SOURCES = {
    "a long chain of branches": "if a then " + "elseif a then " * 100_000 + "end",
    "a long list of conditions": "local a = b" + " and b or c" * 200_000,
    "a table of tables": "local t = {" + "{}," * 2_000_000 + "}",
}


@pytest.mark.parametrize("source", LARGE_SOURCES)
def test_compiling_the_script_is_limited_as_running_it(
    kosmo: Callable[..., Finished], tmp_path: Path, source: str
) -> None:
    """Ours: what takes the compiler minutes or gigabytes is stopped before its first line runs."""
    (tmp_path / "large.lua").write_text(
        LARGE_SOURCES[source] + " while true do end", encoding="utf-8"
    )
    limits = ("--cpu-limit=0.2", "--memory-limit=20000000")
    began = time.monotonic()
    done = kosmo("integrations:lua", "large.lua", "--json", *limits)
    assert kind_of(done.json()) in {"cpu_limit", "memory_limit"}
    assert time.monotonic() - began < SOON / 2


def test_docs_name_each_script_that_only_the_end_of_a_process_stops() -> None:
    """Ours: who runs scripts in a thread can read which ones would keep it."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    marked = {attack.name for attack in ATTACKS if attack.needs_process}
    assert set(re.findall(r"`(time/[a-z0-9-]+)`", text)) == marked


@pytest.mark.parametrize(
    "header",
    [
        "",
        "-- Why.\n",
        "-- No end of a sentence\n-- error: runtime\n",
        "-- Why.\n-- eror: runtime\n",
        "-- Why.\n-- error: runtime\n-- error: syntax\n",
        "-- Why.\n-- error: runtime\n-- result: 1\n",
        "-- Why.\n-- error: cpu_limit\n-- needs: luck\n",
    ],
)
def test_header_that_promises_nothing_is_refused(header: str) -> None:
    """Ours: a key that is misspelled would promise nothing, and nobody would see it."""
    with pytest.raises(AssertionError, match="nameless"):
        read("nameless", f"{header}return 1\n")


LIST = ROOT.parent / "shared" / "attacks.json"
"""Where continuous integration has a second list, with limits of its own; a clone has none."""


def _listed() -> list[dict[str, Any]]:
    if not LIST.exists():
        return []
    attacks: list[dict[str, Any]] = json.loads(LIST.read_text(encoding="utf-8"))["attacks"]
    return attacks


def _cpu_of_children() -> float:
    """Return the seconds that commands have used: on a busy machine the clock says nothing."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("attack", _listed(), ids=lambda attack: attack["name"])
def test_command_has_the_outcomes_of_the_second_list(
    kosmo: Callable[..., Finished], attack: dict[str, Any]
) -> None:
    """The card: the same scripts, seen by somebody else."""
    began = _cpu_of_children()
    # What shall succeed may take as long as a slow machine needs.
    cpu = attack["must_stop_within_s"] if attack["expect"] == "ok" else 1
    cpu = ENDLESS if attack.get("error_type") == "cpu_limit" else cpu
    limits = (f"--cpu-limit={cpu}", f"--memory-limit={32 << 20}")
    document = kosmo("integrations:lua", "--json", *limits, "--eval", attack["code"]).json()
    assert _cpu_of_children() - began < attack["must_stop_within_s"]
    assert document["success"] == (attack["expect"] == "ok")
    assert kind_of(document) in attack.get("error_type", kind_of(document)).split("|")
    assert attack.get("error_contains", "") in (document["error"] or "")
    assert document["result"] == attack.get("result", document["result"])


def test_script_inside_c_code_ends_the_run_and_not_the_thread(
    start: Callable[..., Any],
) -> None:
    """Ours: a library cannot end a C function, but its caller gets the result all the same."""
    program = """if True:
        import os
        from kosmo_lua import Kosmo, Limits
        result = Kosmo(environ={}, limits=Limits(cpu=0.2)).run('(("a"):rep(300)):find(".-.-.-.-b")')
        print(result.error, flush=True)
        os._exit(0)
    """
    process = start("-c", program, program=[sys.executable])
    assert process.communicate(timeout=SOON)[0] == b"CPU limit of 0.2 s exceeded\n"
