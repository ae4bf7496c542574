"""The three families of error that cross a room's border.

A room raises them beside the rule that was broken. One table in `entrypoints` turns
families into HTTP answers and exit codes. Every reason code is listed in `docs/reasons.md`;
a house test holds the list complete.
"""

from __future__ import annotations


class HansaError(Exception):
    """What all three families share: a stable reason code and plain words.

    code: kebab-case, stable, listed in docs/reasons.md.
    words: one sentence or two that a partner may read: what is wrong, what to do next.
    field: dotted path of the offending input field, if there is one.
    """

    family = "error"

    def __init__(self, code: str, words: str, *, field: str | None = None) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words
        self.field = field


class Refused(HansaError):
    """The request is understood and will not be done; asking again will not help."""

    family = "refused"


class NotFound(HansaError):
    """No such thing, or none that the asker may see; the two look the same on purpose."""

    family = "not-found"


class TryLater(HansaError):
    """It could not be done now; the same request with the same key may be sent again."""

    family = "try-later"

    def __init__(
        self,
        code: str,
        words: str,
        *,
        field: str | None = None,
        after_s: float | None = None,
    ) -> None:
        super().__init__(code, words, field=field)
        self.after_s = after_s
