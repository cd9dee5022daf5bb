"""Random scripts near their limits: a short form of what benchmarks/fuzz.py does for long."""

import sys
from collections.abc import Callable
from subprocess import Popen

from conftest import ROOT

SCRIPTS = 60


def test_random_scripts_neither_crash_nor_hang_nor_find_a_defect(
    start: Callable[..., Popen[bytes]],
) -> None:
    """Ours: whatever a script does near its memory limit, its run has an orderly end."""
    program = (sys.executable, str(ROOT / "benchmarks" / "fuzz.py"))
    fuzz = start(f"--scripts={SCRIPTS}", "--seed=4", program=program)
    output = fuzz.communicate(timeout=300)[0].decode()
    assert fuzz.returncode == 0, output
    assert output.endswith(f"0 findings in {SCRIPTS} scripts (seed 4)\n")
