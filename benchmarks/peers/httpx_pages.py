"""Every person of a project with httpx and json: follow `next`, look at each row."""

import json
import os
import sys

import httpx

PAGES = int(sys.argv[1])

count = total = 0
url = os.environ["SINK_URL"] + "/api/projects/1/persons/?limit=100"
with httpx.Client(headers={"Authorization": "Bearer phx_benchmark"}) as client:
    while url:
        page = json.loads(client.get(url).raise_for_status().content)
        for person in page["results"]:
            count += 1
            total += person["properties"]["n"]
        url = page["next"]
if (count, total) != (PAGES * 100, PAGES * 4950):
    sys.exit(f"{count} persons, sum {total}")
