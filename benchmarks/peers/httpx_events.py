"""Events with httpx, one request after the other."""

import os
import sys

import httpx

url = os.environ["SINK_URL"] + "/v1/track"
with httpx.Client() as client:
    for n in range(1, int(sys.argv[1]) + 1):
        event = {
            "event": "Signed Up",
            "userId": f"user-{n}",
            "properties": {"plan": "pro", "n": n},
            "messageId": f"00000000-0000-4000-8000-{n:012}",
            "timestamp": "2026-04-01T10:00:00.000Z",
            "context": {"library": {"name": "plain-httpx", "version": "1.0"}},
            "sentAt": "2026-04-01T10:00:00.000Z",
        }
        client.post(url, json=event, auth=("benchmark-write-key", "")).raise_for_status()
