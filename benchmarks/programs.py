"""Programs that are measured as a whole, each in a fresh process: kosmo, and peers as users write them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from measure import Failed

PEERS = Path(__file__).with_name("peers")
KOSMO = str(Path(sys.executable).with_name("kosmo"))

WAIT = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
if status:
    sys.exit(1)
print("\\n", usage.ru_maxrss, sep="")
"""
"""A small parent: a process starts with the peak of the one that forked it, and this one's is 10 MB."""


def lua(code: str, *options: str) -> list[str]:
    """Return the command that runs Lua code."""
    return [KOSMO, "integrations:lua", "--eval", code, "--json", *options]


def peer(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a script of `peers/`."""
    return [sys.executable, str(PEERS / f"{name}.py"), *arguments]


def run(command: list[str], environ: Mapping[str, str] | None = None) -> None:
    """Run a program to its end.

    Raises:
        Failed: it did not exit with 0.
    """
    done = subprocess.run(command, env=environ, capture_output=True, check=False)  # noqa: S603  # our own
    if done.returncode:
        raise Failed(_reason(done))


def peak(command: list[str], environ: Mapping[str, str]) -> int:
    """Run a program and return the peak of resident memory of its largest process, in bytes (Linux).

    Raises:
        Failed: it did not exit with 0.
    """
    waiting = [sys.executable, "-I", "-S", "-c", WAIT, *command]
    done = subprocess.run(waiting, env=environ, capture_output=True, check=False)  # noqa: S603  # our own
    if done.returncode:
        raise Failed(_reason(done))
    return 1024 * int(done.stdout.splitlines()[-1])


def _reason(done: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the error of an envelope, else the last line that the program wrote."""
    try:
        error = str(json.loads(done.stdout)["error"])
    except (ValueError, KeyError):
        written = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        error = written.splitlines()[-1] if written else "no message"
    return f"exit status {done.returncode}: {error}"
