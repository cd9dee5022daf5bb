"""A long list, page after page, against a plain script of httpx and json."""

from measure import Case, Failed, Figure, Subject, compare, fewer, megabytes
from programs import lua, peak, peer, run
from service import sink

PAGES = 1000
FEW, MANY = 250, 4000
GROWTH = 2_000_000
"""Bytes that the peak may grow from 250 to 4,000 pages."""


def each_person(pages: int) -> list[str]:
    """Return the command that reads every person and makes sure that they were all there."""
    code = f"""
        local count, total = 0, 0
        for person in app.integrations.posthog.each_person{{limit = 100}} do
          count = count + 1
          total = total + person.properties.n
        end
        assert(count == {pages * 100} and total == {pages * 4950}, count .. " persons, sum " .. total)
    """
    return lua(code, "--call-limit", str(10 * MANY * 100))


def _time(pairs: int) -> Figure:
    with sink(pages=PAGES) as service:
        ours, theirs = each_person(PAGES), peer("httpx_pages", str(PAGES))
        return compare(
            lambda: run(ours, service.environ), lambda: run(theirs, service.environ), fewer(pairs)
        )


def _memory(pairs: int) -> Figure:
    del pairs  # one run of each: the peak varies by less than 1 %
    peaks = []
    for pages in (FEW, MANY):
        with sink(pages=pages) as service:
            peaks.append(peak(each_person(pages), service.environ))
            if (asked := service.counts().requests) != pages:
                message = f"{asked:,} requests for {pages:,} pages"
                raise Failed(message)
    return Figure(peaks[1] / (peaks[0] + GROWTH), megabytes(peaks[1]))


READING = Subject(
    "pages",
    """Whole processes, from start to exit: that is what a user waits for, and it counts kosmo's start-up
against it. `for person in app.integrations.posthog.each_person{limit = 100}` adds up a number over 1,000
pages of 100 persons; the peer follows `next` with httpx and json and adds up the same. Memory is the peak
of resident memory of the largest process of kosmo at 4,000 pages, and the ratio is to that at 250 pages +
2 MB.""",
    [
        Case("1,000 pages of 100 rows", "httpx + json script", 1.3, _time),
        Case("memory, 4,000 pages", "250 pages + 2 MB", 1.0, _memory),
    ],
)
