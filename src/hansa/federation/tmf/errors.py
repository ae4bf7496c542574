"""Errors on the wire: our three families as TMF630 Errors, and back.

The status is `hansa.federation.exchange.status_of`. The body is a TMF630 Error: `code` is our
reason code, `reason` our words, `hansaField` the path of the offending attribute. A fault of
ours that nobody foresaw is a 500 that says no more.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from hansa.federation.courier import nonsense, silent
from hansa.federation.exchange import BY_FAMILY, LATER, Answer
from hansa.federation.tmf.shapes.common import SCHEMA
from hansa.federation.wire import parse, render
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater

WORDS_MAX = 2000
WAIT_MAX_S = 3600
_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")

UNFORESEEN = Answer(
    500,
    render(
        {
            "code": "internal-error",
            "reason": "Something went wrong at this node. The same request may be sent again.",
            "status": "500",
        }
    ),
)


def write(error: HansaError, status: int) -> Answer:
    """The answer that tells a partner of this error."""
    headers: dict[str, str] = {}
    body = shape(error, status)
    if "hansaRetryAfter" in body:
        headers["retry-after"] = str(math.ceil(body["hansaRetryAfter"]))
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Answer(status, render(body), headers)


def shape(error: HansaError, status: int) -> dict[str, Any]:
    """The error as a TMF630 Error."""
    body: dict[str, Any] = {
        "code": error.code,
        "reason": error.words,
        "message": f"{HTTPStatus(status).phrase}{f' at {error.field}' if error.field else ''}",
        "status": str(status),
        "@type": "HansaError",
        "@baseType": "Error",
        "@schemaLocation": SCHEMA,
    }
    if error.field is not None:
        body["hansaField"] = error.field
    if isinstance(error, TryLater) and error.after_s is not None:
        wait_ms = round(1000 * min(max(error.after_s, 0), WAIT_MAX_S))
        body["hansaRetryAfter"] = Decimal(wait_ms).scaleb(-3)
    return body


def read(status: int, body: bytes, partner: str) -> HansaError:
    """The error that a partner's answer tells of; its words are bounded, not believed.

    Anything but a TMF630 Error is TryLater: `partner-silent` from 500 upwards,
    `partner-nonsense` below. So is a token that was refused: keys and clocks are for people
    to mend, and no order may be given up for them.
    """
    if status >= 500 and status != BY_FAMILY["try-later"]:
        return silent(partner)
    try:
        told = parse(body)
    except Refused:
        told = None
    if not isinstance(told, dict):
        return silent(partner) if status >= 500 else nonsense(partner, f"HTTP {status}")
    code, words, field = told.get("code"), told.get("reason"), told.get("hansaField")
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not isinstance(words, str):
        return silent(partner) if status >= 500 else nonsense(partner, f"HTTP {status}")
    words = words[:WORDS_MAX]
    field = field[:WORDS_MAX] if isinstance(field, str) else None
    if status == BY_FAMILY["not-found"]:
        return NotFound(code, words, field=field)
    if status in LATER:
        return TryLater(code, words, field=field, after_s=_wait_s(told.get("hansaRetryAfter")))
    return Refused(code, words, field=field)


def _wait_s(told: object) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | Decimal):
        return None
    return float(min(max(told, 0), WAIT_MAX_S))
