"""W3C Trace Context: one trace id through every node that takes part in an order."""

from __future__ import annotations

import hashlib
import re

from hansa.foundation.ids import TraceId

HEADER = "traceparent"

_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


def write(trace: TraceId, *, by: str) -> str:
    """The header of what `by` says; its parent id is a hash of that name."""
    return f"00-{trace}-{hashlib.sha256(by.encode()).hexdigest()[:16]}-01"


def read(header: str | None) -> TraceId | None:
    """The trace a call belongs to; None where it says none, or none that can be read."""
    found = _PARENT.fullmatch(header[:200]) if header else None
    if found is None or header is None or header.startswith("ff"):
        return None
    trace, parent = found.groups()
    return TraceId(trace) if trace.strip("0") and parent.strip("0") else None
