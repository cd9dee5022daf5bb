"""The process of a script from inside: what it tells its supervisor, and what it does when it is told to.

The child runs Lua, the adapters and HTTP. It ends itself when the supervisor dies: nobody would know what it
still sends.
"""

import _thread
import gc
import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from kosmo_lua.errors import CODES
from kosmo_lua.lua.groups import STARTING, Groups
from kosmo_lua.lua.process import REASONS
from kosmo_lua.lua.script import Script
from kosmo_lua.lua.stop import heeded

if TYPE_CHECKING:  # loaded after the fork
    from types import FrameType

    from kosmo_lua.journal import Event
    from kosmo_lua.lua.limits import Limits, Meter
    from kosmo_lua.lua.namespace import Backend
    from kosmo_lua.lua.process import Pipes
    from kosmo_lua.lua.sandbox import Sandbox
    from kosmo_lua.policy import Question

Work = Callable[["Child"], None]
"""What a child does until it ends."""


class Child:
    """What the work in a child may use."""

    def __init__(self, pipes: "Pipes", meter: "Meter") -> None:
        self.meter = meter
        self._lock = _thread.allocate_lock()
        self._held = b""
        self._journal = pipes.journal
        self._control = pipes.control
        self._orders = open(pipes.orders, "rb")  # noqa: SIM115  # a pipe, until the process ends
        self._groups = Groups()

    def record(self, event: "Event") -> None:
        """Write an event to the journal.

        That a call begins is written with what it does first, at the latest before its request leaves: each
        line wakes the supervisor.
        """
        text = json.dumps(event).encode() + b"\n"
        with self._lock:  # calls end on threads of their own
            if event[0] == "process":
                self._heard(*event[1:])
            self._held += text
            if event[0] == "call":
                return
            line, self._held = memoryview(self._held), b""
            while line:
                line = line[os.write(self._journal, line) :]

    def _heard(self, group: Any, running: Any) -> None:  # noqa: ANN401  # of an event, which is JSON
        self._groups.heard(group, running=running)

    def ask(self, question: "Question") -> bool:
        """Let the supervisor ask, and wait for the answer."""
        self.record(["ask", *question])
        _, yes = self.order() or ("answer", False)
        return yes is True

    @property
    def is_ordered(self) -> bool:
        """Whether the first order, or the end of all orders, is there."""
        poll = select.poll()
        poll.register(self._orders, select.POLLIN)
        return bool(poll.poll(0))

    def order(self) -> Any:  # noqa: ANN401  # JSON, of which the one who waits knows the shape
        """Wait for an order; None when there are no more."""
        line = self._orders.readline()
        return json.loads(line) if line else None

    def run_scripts(
        self, backend: "Backend", limits: "Limits", *, asks: bool, sandbox: "Sandbox | None" = None
    ) -> None:
        """Run the scripts that are ordered, in one Lua state, until no more are."""
        from kosmo_lua.lua.clocks import own_thread  # noqa: PLC0415  # after the fork
        from kosmo_lua.lua.namespace import Namespace  # noqa: PLC0415  # the same
        from kosmo_lua.lua.sandbox import Sandbox  # noqa: PLC0415  # the same

        sandbox = sandbox or Sandbox()
        host = Namespace(backend, self.record, self.ask if asks else None)
        sandbox.connect(host, self.record, limits, self.meter, clock=own_thread())
        _thread.start_new_thread(self._listen, (sandbox,))
        while order := self.order():
            *facts, show = order[1:]
            self.record(["end", sandbox.run(Script.from_json(*facts, show=show))])
        host.close()

    def _listen(self, sandbox: "Sandbox") -> None:
        while word := os.read(self._control, 2):
            reason, script = word
            sandbox.stop(REASONS[reason], script)
        end = time.monotonic() + STARTING
        while self._groups.is_starting and time.monotonic() < end:
            time.sleep(0.001)
        self._groups.end()  # the supervisor is gone, or has no patience left
        os._exit(CODES["crash"].exit_status)


def _ignore(number: int, frame: "FrameType | None") -> None:
    """Do nothing at a signal."""


_NEW_OBJECTS = 50_000
"""After so many Python looks for cycles. Its own 700 would mean 90 times in the imports of a first call."""


def be_child(work: Work, child: Child) -> NoReturn:
    """Do the work in a process that was just forked, and end it."""
    try:
        gc.set_threshold(_NEW_OBJECTS)
        signal.set_wakeup_fd(-1)
        # They may reach the whole process group; the supervisor decides what they mean. What is started
        # here would inherit that a signal is ignored, and not that it has a handler.
        for number in heeded():
            signal.signal(number, _ignore)
        work(child)
    except BaseException as error:  # noqa: BLE001  # the last frame of the process: said in the envelope
        message = f"internal error: {type(error).__name__}: {error}"
        child.record(["end", {"error": message, "info": {"code": "internal", "type": "internal"}}])
    finally:
        os._exit(0)
