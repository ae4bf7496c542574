"""Errors on the wire: our three families as Sonata's Errors, and back.

Sonata tells of a faulty attribute by 422 and a list of Error422 with `propertyPath`, of a query
or a body that cannot be read by 400, and knows eleven statuses in all. Our reason code travels
in `hansaCode`. What Sonata has no word for keeps the status that HTTP has for it (405, 413,
503) and the shape of an Error.
"""

from __future__ import annotations

import re
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Literal

from hansa.federation.courier import nonsense, silent
from hansa.federation.exchange import BY_FAMILY, LATER, Answer
from hansa.federation.wire import parse, render
from hansa.foundation.errors import HansaError, NotFound, Refused, TryLater

MEDIA_TYPE = "application/json;charset=utf-8"
REASON_MAX = 255
WORDS_MAX = 2000
WAIT_MAX_S = 3600
_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")

Fault = Literal[
    "missingProperty",
    "invalidValue",
    "invalidFormat",
    "referenceNotFound",
    "unexpectedProperty",
    "otherIssue",
]
"""What can be wrong with an attribute (Error422Code)."""

Flaw = Literal["missingQueryParameter", "missingQueryValue", "invalidQuery", "invalidBody"]
"""What can be wrong with a request as a whole (Error400Code)."""

CODES: dict[int, str] = {
    401: "invalidCredentials",
    403: "accessDenied",
    404: "notFound",
    405: "notImplemented",
    409: "conflict",
    413: "invalidBody",
    415: "invalidBody",
    429: "tooManyUsers",
    500: "internalError",
    501: "notImplemented",
}


BY_CODE: dict[str, tuple[int, str]] = {
    "not-served": (501, "notImplemented"),
    "party-not-you": (403, "forbiddenRequester"),
}
"""Reasons for which Sonata has a nearer word than their family's."""


class Unfit(Refused):
    """An attribute is not as it has to be; `field` is its path, fault what Sonata calls it."""

    def __init__(
        self, fault: Fault, words: str, *, field: str | None = None, code: str = "malformed"
    ) -> None:
        super().__init__(code, words, field=field)
        self.fault = fault


class Unread(Refused):
    """A query, or a body as a whole, cannot be read; flaw is what Sonata calls it."""

    def __init__(self, flaw: Flaw, words: str, *, field: str | None = None) -> None:
        super().__init__("malformed", words, field=field)
        self.flaw = flaw


def unfit(field: str, why: str, fault: Fault = "invalidValue") -> Unfit:
    words = f"{field or 'The body'}: {why}. Correct it and send it again."
    return Unfit(fault, words, field=field)


def not_you(name: str) -> Refused:
    """The caller speaks for somebody else."""
    return Refused(
        "party-not-you",
        f"{name} is not the one that this request is from or to. Leave it out, or correct it.",
        field=name,
    )


def not_served(what: str) -> Refused:
    return Refused("not-served", f"{what} is not served by this node.")


# --- write ------------------------------------------------------------------------------------


UNFORESEEN = Answer(
    500,
    render(
        {
            "code": "internalError",
            "reason": "Something went wrong at this node. The same request may be sent again.",
        }
    ),
    media_type=MEDIA_TYPE,
)


def write(error: HansaError, status: int) -> Answer:
    """The answer that tells a partner of this error.

    An attribute's fault is told by 422, whatever our status for what cannot be read.
    """
    if isinstance(error, Unfit):
        return unprocessable(error, error.fault)
    if isinstance(error, Unread):
        return _answer(400, error, error.flaw)
    if error.code in BY_CODE:
        return _answer(BY_CODE[error.code][0], error, BY_CODE[error.code][1])
    if error.code == "malformed" and error.field not in (None, "", "query", "path", "id"):
        return unprocessable(error, "invalidFormat")
    if status == 422:
        return unprocessable(error, "otherIssue")
    flaw = "invalidQuery" if error.field in ("query", "path", "id") else "invalidBody"
    return _answer(status, error, flaw if status == 400 else CODES.get(status, "internalError"))


def unprocessable(error: HansaError, fault: Fault) -> Answer:
    """A list of one Error422."""
    told = _told(error, fault)
    if error.field:
        told["propertyPath"] = error.field
    return Answer(422, render([told]), media_type=MEDIA_TYPE)


def unread(error: HansaError, flaw: Flaw) -> Answer:
    """The same as one Error400, where an operation has no 422."""
    return _answer(400, error, flaw)


def _answer(status: int, error: HansaError, code: str) -> Answer:
    headers: dict[str, str] = {}
    told = _told(error, code)
    if isinstance(error, TryLater) and error.after_s is not None:
        wait_ms = round(1000 * min(max(error.after_s, 0), WAIT_MAX_S))
        headers["retry-after"] = str(-(-wait_ms // 1000))
        told["hansaRetryAfter"] = Decimal(wait_ms).scaleb(-3)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return Answer(status, render(told), headers, media_type=MEDIA_TYPE)


def _told(error: HansaError, code: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": code,
        "reason": error.words[:REASON_MAX],
        "message": error.words,
        "hansaCode": error.code,
    }
    if error.field is not None:
        told["hansaField"] = error.field
    return told


# --- read -------------------------------------------------------------------------------------


def read(status: int, body: bytes, partner: str) -> HansaError:
    """The error that a partner's answer tells of; its words are bounded, not believed.

    A partner that is no node of ours gives no reason code: it is `partner-refused`, or
    `partner-unaware` where it does not know what was referred to. From 500 upwards, and for a
    token that was refused, it is TryLater: no order may be given up for that.
    """
    told = _first(body)
    if told is None:
        return silent(partner) if status >= 500 else nonsense(partner, f"HTTP {status}")
    code, words, field = _words(told, partner)
    if status == HTTPStatus.NOT_IMPLEMENTED:
        return Refused("partner-refused" if code is None else code, words, field=field)
    if status >= 500 and (code is None or status != BY_FAMILY["try-later"]):
        return silent(partner)
    if status in LATER:
        wait_s = _wait_s(told.get("hansaRetryAfter"))
        return TryLater(
            "partner-refused" if code is None else code, words, field=field, after_s=wait_s
        )
    if status == BY_FAMILY["not-found"] or told.get("code") == "referenceNotFound":
        return NotFound("partner-unaware" if code is None else code, words, field=field)
    return Refused("partner-refused" if code is None else code, words, field=field)


def _first(body: bytes) -> dict[str, Any] | None:
    """The error, or the first of several."""
    try:
        told = parse(body)
    except Refused:
        return None
    if isinstance(told, list) and told:
        told = told[0]
    return told if isinstance(told, dict) and isinstance(told.get("reason"), str) else None


def _words(told: dict[str, Any], partner: str) -> tuple[str | None, str, str | None]:
    """Our code if it has one, the words, and the attribute."""
    code, message, field = told.get("hansaCode"), told.get("message"), told.get("hansaField")
    if isinstance(code, str) and _CODE.fullmatch(code):
        words = message if isinstance(message, str) else told["reason"]
        return code, words[:WORDS_MAX], field[:WORDS_MAX] if isinstance(field, str) else None
    path = told.get("propertyPath")
    words = f"{partner} says: {told['reason']} ({told.get('code', 'no code')})"
    return None, words[:WORDS_MAX], path[:WORDS_MAX] if isinstance(path, str) else None


def _wait_s(told: object) -> float | None:
    if isinstance(told, bool) or not isinstance(told, int | Decimal):
        return None
    return float(min(max(told, 0), WAIT_MAX_S))
