"""An MCP server that reports progress before it answers: STEPS times, every 50 ms."""

import os
import time

import raw  # type: ignore[import-not-found]  # beside this script

for message in raw.messages():
    if message["method"] == "tools/call":
        token = message["params"]["_meta"]["progressToken"]
        for step in range(int(os.environ["STEPS"])):
            params = {"progressToken": token, "progress": step}
            raw.send(method="notifications/progress", params=params)
            time.sleep(0.05)
    raw.answer(message, "2025-06-18")
