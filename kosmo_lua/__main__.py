"""The command `kosmo`, also as `python -m kosmo_lua`."""

import gc
import os
import signal
import sys
from typing import NoReturn

from kosmo_lua.errors import CLOSED_STDOUT, SIGNALS

RUNS = ("integrations:lua", "mcp:lua")
"""The commands that run a script."""


def main() -> NoReturn:
    """Run the command line of this process, and end the process with its exit status."""
    gc.disable()  # start-up makes no garbage worth collecting; a run switches it on again
    # A plugin of pydantic would see credentials and arguments, and to look for them takes 3 ms.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if sys.stderr is None:  # else the next file that is opened would take its number
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the process ends
    if sys.stdout is None:
        os._exit(CLOSED_STDOUT)
    # Until the command line can tell of Ctrl-C it ends the process, as it does without Python.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    command, *rest = sys.argv[1:] or [""]
    forks = command in RUNS and "--repl" not in rest and hasattr(os, "fork")
    try:
        status = _with_worker(rest) if forks else _run()
    except KeyboardInterrupt as ended:  # after everything else was said
        status = SIGNALS.get(str(ended), SIGNALS["SIGINT"])
    # Not exit(): nothing is left to clean up, and taking the interpreter down costs time.
    os._exit(status)


def _with_worker(arguments: list[str]) -> int:
    from kosmo_lua.workers.prefork import discard, prefork  # noqa: PLC0415  # only for scripts

    prefork(arguments)
    try:
        return _run()
    finally:
        discard()


def _run() -> int:
    from kosmo_lua.cli import run  # noqa: PLC0415  # click, which a worker does not need

    return run(sys.argv[1:])


if __name__ == "__main__":
    main()
