"""A server on loopback that stands in for the services: for a first workflow, for tests, for CI.

Every integration ships an `EmulatedService`. An `Emulator` serves them from one address, keeps what was sent
to them, and misbehaves on request (`kosmo_lua.emulator.faults`).

    with Emulator({"segment": "kosmo_segment.emulator:SegmentEmulator"}) as emulator:
        ...  # let a workflow talk to emulator.url
        assert emulator.events("segment")[0]["accepted"]
"""

from kosmo_lua.emulator.server import Emulator
from kosmo_lua.emulator.service import EmulatedService
from kosmo_lua.emulator.traffic import Stats

__all__ = ["EmulatedService", "Emulator", "Stats"]
