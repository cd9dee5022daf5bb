"""Segment: send users, events, page views and groups; read the workspace and its sources.

`client` has the credentials and the two APIs; the other modules have the functions, each beside its model.
"""

from kosmo_segment import events, workspace
from kosmo_segment.client import Segment, SegmentCredentials, segment

__all__ = ["Segment", "SegmentCredentials", "events", "segment", "workspace"]
