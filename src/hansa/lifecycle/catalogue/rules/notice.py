"""When a version of a deck may take effect: the clocks of notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hansa.foundation.time import Instant, midnight
from hansa.lifecycle.catalogue.model import OPEN_S, Deck, DeckVersion

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def seconds(at: Instant) -> int:
    """Whole seconds since 1970."""
    return (at - EPOCH) // SECOND


def instant(second: int) -> Instant | None:
    """The moment so many seconds after 1970; None for the end of what has none."""
    return None if second >= OPEN_S else EPOCH + second * SECOND


def acknowledged(deck: Deck, version: DeckVersion) -> Instant | None:
    """When the last of the deck's buyers acknowledged receipt; None while one has not."""
    at = {one.party: one.at for one in version.receipts}
    heard = [at[buyer] for buyer in deck.buyers if buyer in at]
    return max(heard) if len(heard) == len(deck.buyers) else None


def increases_from(deck: Deck, version: DeckVersion) -> int:
    """The second before which no increase of it takes effect; without receipt, none ever does."""
    if version.said.correction:
        return 0
    heard = acknowledged(deck, version)
    if heard is None:
        return OPEN_S
    day = heard.astimezone(UTC).date() + deck.notice.increase_days * DAY
    return seconds(midnight(day))


def others_from(deck: Deck, received_at: Instant) -> int:
    """The second before which a version received then changes nothing else."""
    if deck.notice.others == "at-once":
        return seconds(received_at)
    day = midnight(received_at.astimezone(UTC).date())
    return seconds(day if day == received_at else day + DAY)


def published(versions: Sequence[DeckVersion]) -> Sequence[DeckVersion]:
    """Those that count, in the order in which they do."""
    return sorted(
        (one for one in versions if one.published_at is not None), key=lambda one: one.version
    )
