"""What may be entered of a party."""

from __future__ import annotations

import re

from hansa.foundation.errors import Refused
from hansa.lifecycle.clearing.model import Particulars

_ENDPOINT = re.compile(r"[0-9A-Z]{4}:\S{1,50}|[A-Z]{2}:\S{1,50}")


def check_particulars(given: Particulars) -> None:
    """Raises Refused `endpoint-invalid`, `particulars-too-long`."""
    if given.endpoint and not _ENDPOINT.fullmatch(given.endpoint):
        raise Refused(
            "endpoint-invalid",
            f"{given.endpoint!r} is no electronic address; write SCHEME:ID, as 0088:7300010000001.",
            field="endpoint",
        )
    for name in ("street", "city", "postcode", "registration"):
        if len(getattr(given, name)) > 100:
            raise Refused("particulars-too-long", f"The {name} is too long.", field=name)
