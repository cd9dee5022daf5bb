"""An MCP server that never answers and does not want to end; nor does the process that it starts.

It writes the ids of both to the file that the environment variable PIDS names.
"""

import os
import signal
import sys
import time
from pathlib import Path

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = os.fork()
if child:
    pids = Path(os.environ["PIDS"])
    pids.with_suffix(".part").write_text(f"{os.getpid()} {child}", encoding="utf-8")
    pids.with_suffix(".part").rename(pids)
    sys.stderr.write("I do not talk\n")
    sys.stderr.flush()
while True:
    time.sleep(60)
