"""One event with posthog, sent before the call returns."""

import os

from posthog import Posthog

posthog = Posthog("phc_benchmark", host=os.environ["SINK_URL"], sync_mode=True)
posthog.capture("Signed Up", distinct_id="user-1", properties={"plan": "pro", "n": 1})
