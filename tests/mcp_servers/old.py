"""An MCP server of the first protocol version. With `--touchy` it ends at a method that it does not know.

A call with the argument `ask` makes it ask the client that, and answer with what the client answered.
"""

import json
import sys

import raw  # type: ignore[import-not-found]  # beside this script

KNOWN = ("initialize", "notifications/initialized", "tools/list", "tools/call")

incoming = raw.messages()
for message in incoming:
    if "--touchy" in sys.argv and message["method"] not in KNOWN:
        sys.exit(f"unknown method {message['method']}")
    given = message.get("params", {}).get("arguments", {})
    if "ask" in given:
        raw.send(id="question", method=given["ask"], params=given.get("params", {}))
        text = json.dumps(next(line for line in incoming if line.get("id") == "question"))
        raw.send(id=message["id"], result={"content": [{"type": "text", "text": text}]})
    else:
        raw.answer(message, "2024-11-05")
