"""Many events with segment-analytics-python: its queue and its thread, and a flush at the end."""

import os
import sys

from segment import analytics

analytics.write_key = "benchmark-write-key"
analytics.host = os.environ["SINK_URL"]
for n in range(1, int(sys.argv[1]) + 1):
    analytics.track(f"user-{n}", "Signed Up", {"plan": "pro", "n": n})
analytics.flush()
