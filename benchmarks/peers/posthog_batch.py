"""Many events with posthog: its queue and its thread, and a shutdown, which sends what is left."""

import os
import sys

from posthog import Posthog

posthog = Posthog("phc_benchmark", host=os.environ["SINK_URL"])
for n in range(1, int(sys.argv[1]) + 1):
    posthog.capture("Signed Up", distinct_id=f"user-{n}", properties={"plan": "pro", "n": n})
posthog.shutdown()
