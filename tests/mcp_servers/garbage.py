"""An MCP server that prints lines between its messages, on stdout and on stderr."""

import sys

import raw  # type: ignore[import-not-found]  # beside this script


def say(line: str) -> None:
    """Print what is no message."""
    print(line, flush=True)  # noqa: T201  # that is the misbehaviour


say("Server starting up...")
print("listening", file=sys.stderr, flush=True)  # noqa: T201  # a log is as it should be
for message in raw.messages():
    say(f"[debug] got {message['method']}")
    say('{"level": "info"}\n[1, 2]\n\n\x00')
    raw.answer(message, "2025-06-18")
    say("[debug] done")
