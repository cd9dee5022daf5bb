"""One event with segment-analytics-python, sent before the call returns."""

import os

from segment import analytics

analytics.write_key = "benchmark-write-key"
analytics.host = os.environ["SINK_URL"]
analytics.sync_mode = True
analytics.track("user-1", "Signed Up", {"plan": "pro", "n": 1})
