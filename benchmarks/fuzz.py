"""Runs random scripts near their limits, and says whether one crashed, hung, leaked or found a defect.

    python benchmarks/fuzz.py --scripts 20000 --seed 1
    python benchmarks/fuzz.py --seed 1 --only 4711      # prints that script, and runs it

Workers run many scripts each, in threads of theirs, which is where a wrong step near the memory limit ends or
stops the whole process. The exit status is 1 when something was found.
"""

import argparse
import ctypes
import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import NoReturn

from fragments import echo, script

from kosmo_lua import Kosmo, Result

PER_WORKER = 1000
PATIENCE = 30.0
"""Seconds for one script, whose limit of CPU is 0.1 s, on a machine that is busy."""
_M_ARENA_MAX = -8  # malloc.h
ENOUGH = 20
"""Findings after which the rest would say the same."""
WINDOW = 200
"""Scripts after which it is looked at what memory the worker keeps."""
LEAK = 16 << 20
"""Bytes by which that may have grown since the first look; at one look it may be more, by chance."""
SPARE = 1 << 20
"""Bytes beyond its limit that a script gets to end with, once it has reached a limit."""


def main() -> int:
    """Run what the command line says; the exit status says whether something was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scripts", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 10**6, help="by default a new one"
    )
    parser.add_argument("--only", type=int, help="run this one alone, and print it")
    options = parser.parse_args()
    if options.only is not None:
        return _run_one(options.seed, options.only)
    return _run_all(options.seed, options.scripts)


def _run_all(seed: int, scripts: int) -> int:
    """Run the scripts, print each finding, and a summary."""
    print(f"seed {seed}", flush=True)
    outcomes: Counter[str] = Counter()
    began = time.monotonic()
    findings = 0
    for number, outcome, problem in _outcomes(seed, scripts):
        outcomes[outcome] += 1
        done = outcomes.total()
        if problem:
            findings += 1
            print(f"\nscript {number}: {problem}\n{script(seed, number)[0]}", flush=True)
        if findings == ENOUGH:
            break
        if done % PER_WORKER == 0:
            print(f"{done} scripts, {time.monotonic() - began:.0f} s", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    print(f"{findings} findings in {outcomes.total()} scripts (seed {seed})")
    return int(findings > 0)


def _run_one(seed: int, number: int) -> int:
    code, limits = script(seed, number)
    print(code, limits, sep="\n", flush=True)
    result = _run(seed, number)
    problem = _problem(result, limits.memory)
    print(result.to_json(), problem or "nothing found", sep="\n", flush=True)
    return int(bool(problem))


def _run(seed: int, number: int) -> Result:
    code, limits = script(seed, number)
    return Kosmo(integrations=[echo], environ={"KOSMO_ECHO_WRITE": "allow"}, limits=limits).run(
        code
    )


def _problem(result: Result, memory: int) -> str:
    kind = result.error_info.type if result.error_info else ""
    codes = {call.error.code for call in result.call_log if call.error}
    if kind in {"internal", "crash"} or "internal" in codes:
        return f"a defect: {result.error} {[call.error for call in result.call_log if call.error]}"
    if result.memory_usage > memory + (SPARE if kind.endswith("_limit") else 0):
        return f"{result.memory_usage} bytes used of {memory}"
    return ""


def _outcomes(seed: int, scripts: int) -> Iterator[tuple[int, str, str]]:
    """Run all scripts; of each its number, how it ended, and what is wrong with that."""
    number = 0
    while number < scripts:
        for found in _worker(seed, range(number, min(number + PER_WORKER, scripts))):
            yield found
            number = found[0] + 1


def _worker(seed: int, numbers: range) -> Iterator[tuple[int, str, str]]:
    """Run scripts in a child, up to the first one that ends or stops it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _work(seed, numbers, writer)
    os.close(writer)
    with os.fdopen(
        reader, "rb", buffering=0
    ) as lines:  # else select misses what waits in a buffer
        for number in numbers:
            ready = select.select([lines], [], [], PATIENCE)[0]
            line = lines.readline() if ready else b""
            if not line:
                yield number, "lost", _ended(pid)
                return
            outcome, problem = json.loads(line)
            yield number, outcome, problem
    os.waitpid(pid, 0)


def _ended(pid: int) -> str:
    """Say how a worker ended that did not answer."""
    time.sleep(0.1)
    if os.waitpid(pid, os.WNOHANG) != (0, 0):
        return "crash: the worker has ended"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return f"hang: no answer within {PATIENCE:g} s"


def _work(seed: int, numbers: range, writer: int) -> NoReturn:
    """Run scripts, and write a line about each."""
    kept = list[int]()
    # Else each thread allocates in an arena of its own, whose holes look like a leak.
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    try:
        for done, number in enumerate(numbers):
            result = _run(seed, number)
            problem = _problem(result, script(seed, number)[1].memory)
            if done % WINDOW == WINDOW - 1:
                kept.append(_kept())
                if min(kept[-2:]) - kept[0] > LEAK:
                    problem += f"leak: the worker keeps {[size >> 20 for size in kept]} MB"
            outcome = result.error_info.type if result.error_info else "success"
            os.write(writer, (json.dumps([outcome, problem]) + "\n").encode())
    except BaseException:  # noqa: BLE001  # a child must not go on as the parent
        traceback.print_exc()
    finally:
        os._exit(0)


def _kept() -> int:
    """Return the memory of this process, without what it would give back if it were asked for."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # no file of anybody's
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main())
