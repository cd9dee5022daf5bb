"""kosmo emulator: serve the emulators of the integrations."""

import json
import shlex
import signal

import click

from kosmo_lua.cli.output import write
from kosmo_lua.cli.strict import OnceCommand
from kosmo_lua.kosmo import Kosmo
from kosmo_lua.lua.stop import heeded


@click.command(
    "emulator", cls=OnceCommand, short_help="Serve emulators of the services on this machine."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes any free one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document when it listens.")
def command(*, port: int, as_json: bool) -> int:
    """Serve emulators of every integration on 127.0.0.1 until stopped.

    Export the variables that it prints, and workflows talk to it. What was sent can be read at
    /_kosmo/events and is counted at /_kosmo/stats, and faults are set at /_kosmo/faults.
    """
    ends = heeded()
    # Blocked before a thread starts, so that the signal waits for sigwait and for nobody else.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with Kosmo(emulator=True, emulator_port=port) as kosmo:
        emulator = kosmo.emulator
        emulator.start()
        if as_json:
            environ = dict(kosmo.emulator_environ)
            write(json.dumps({"success": True, "url": emulator.url, "env": environ}, indent=2))
        else:
            write(f"# The emulator listens on {emulator.url}; Ctrl-C stops it.")
            for name, value in kosmo.emulator_environ.items():
                write(f"export {name}={shlex.quote(value)}")
        return 128 + signal.sigwait(ends)
