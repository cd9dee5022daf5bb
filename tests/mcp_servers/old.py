"""An MCP server of the first protocol version. With `--touchy` it ends at a method that it does not know.

A call with the argument `ask` makes it ask the client that, and answer with what the client answered; one
with `never` is never answered, and that it was cancelled is written to the file that NOTES names.
"""

import json
import os
import sys
from pathlib import Path

import raw  # type: ignore[import-not-found]  # beside this script

KNOWN = ("initialize", "notifications/initialized", "tools/list", "tools/call")

incoming = raw.messages()
for message in incoming:
    if "--touchy" in sys.argv and message["method"] not in KNOWN:
        sys.exit(f"unknown method {message['method']}")
    given = message.get("params", {}).get("arguments", {})
    if message["method"] == "notifications/cancelled" and "NOTES" in os.environ:
        Path(os.environ["NOTES"]).write_text("cancelled", encoding="utf-8")
    if "never" in given:
        continue
    if "ask" in given:
        raw.send(id="question", method=given["ask"], params=given.get("params", {}))
        text = json.dumps(next(line for line in incoming if line.get("id") == "question"))
        raw.send(id=message["id"], result={"content": [{"type": "text", "text": text}]})
    else:
        raw.answer(message, "2024-11-05")
