"""Mandates made and checked: pure functions, so that anyone with the keys can do it again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hansa.federation.contract import TRAIL_MAX, Quote
from hansa.federation.keys.ring import is_signed, key_id
from hansa.federation.keys.signatures import WINDOW_S, Signs
from hansa.federation.mandate import Act, Mandate, MandateLine, MandateLink
from hansa.foundation import documents
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.ids import BuyerKey, OfferCode, OrderId, PartyId, TraceId
from hansa.foundation.time import Instant

LINES_MAX = 1000


class SigningKey(Signs, Protocol):
    """A key of ours with its public half."""

    @property
    def public(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What a link says of what is asked for."""

    to: PartyId
    lines: tuple[MandateLine, ...]
    asked: str
    act: Act = "order"


def asking(quote: Quote) -> Asking:
    """Of a quote that is to be ordered."""
    return Asking(quote.seller, lines(quote), asked(quote))


def ceasing(ordered: Asking, order: OrderId) -> Asking:
    """Of the end of an order that was asked for so. order: the seller's."""
    return replace(ordered, asked=documents.fingerprint({"ends": order}), act="cease")


@dataclass(frozen=True, slots=True)
class Voucher:
    """Signs our link of a mandate. key: of ours, that this partner knows now."""

    us: PartyId
    key: Callable[[PartyId, Instant], SigningKey]

    def __call__(
        self, before: Mandate | None, *, ask: Asking, key: BuyerKey, trace: TraceId, now: Instant
    ) -> Mandate:
        """The mandate with which we order: the one that we were ordered with, and our link."""
        signing = self.key(ask.to, now)
        links = before.links if before else ()
        bare = MandateLink(
            party=self.us,
            to=ask.to,
            key=key,
            trace=trace,
            lines=ask.lines,
            asked=ask.asked,
            at=now,
            previous=fingerprint(links[-1]) if links else "",
            public_key=signing.public,
            kid=signing.kid,
            signature="",
            act=ask.act,
        )
        value = signing.sign(fingerprint(bare).encode("ascii"))
        return Mandate((*links, replace(bare, signature=b64encode(value).decode())))


def lines(quote: Quote) -> tuple[MandateLine, ...]:
    """What a quote is for, so far as others may read it: how many of each offer in each country."""
    many: dict[tuple[OfferCode, str], int] = {}
    for line in quote.lines:
        what = line.offer, line.site.country if line.site else ""
        many[what] = many.get(what, 0) + line.quantity
    return tuple(MandateLine(*what, many[what]) for what in sorted(many))


def asked(quote: Quote) -> str:
    """The fingerprint of what a quote is for: its need, without prices."""
    need = [
        {
            "item": line.item,
            "offer": line.offer,
            "site": documents.write(line.site) if line.site else None,
            "characteristics": dict(line.characteristics),
            "quantity": line.quantity,
            "holding": line.holding,
        }
        for line in quote.lines
    ]
    return documents.fingerprint({"quote": quote.id, "need": need})


def fingerprint(link: MandateLink) -> str:
    return documents.fingerprint(documents.write(link))


# --- checking -----------------------------------------------------------------------------------


def check(
    mandate: Mandate,
    *,
    us: PartyId,
    buyer: PartyId,
    key: BuyerKey,
    ask: Asking,
    trace: TraceId,
    trail: Sequence[PartyId],
    keys: Sequence[str],
    now: Instant,
) -> None:
    """Returns when the mandate is the buyer's over this order at us, and is whole.

    ask: what the order asks for. trace, trail: of its quote, or of that of what it ends. keys: the
    buyer's, in base64, that are good now. Raises Refused `mandate-wrong`, whose field names the
    link.
    """
    found = next(faults(mandate), None)
    if found is not None:
        raise _wrong(*found)
    last, links = len(mandate.links) - 1, mandate.links
    link = links[last]
    for so, why in (
        (link.party == buyer, f"is of {link.party}, and {buyer} orders"),
        (link.to == us, f"is to {link.to}, and not to {us}"),
        (link.key == key, "is over an order with another key"),
        (link.trace == trace, "has another trace than the quote"),
        (link.public_key in keys, f"is not signed by a key that {buyer} has now"),
        (link.act == ask.act, f"is to {link.act}, and this is to {ask.act}"),
        (link.lines == ask.lines, "names other lines than the quote"),
        (link.asked == ask.asked, "is over something else than is asked for here"),
        ((link.at - now).total_seconds() <= WINDOW_S, "is of a time to come"),
    ):
        if not so:
            raise _wrong(last, why)
    passed = tuple(one.party for one in links)
    if trail and passed != tuple(trail)[-len(passed) :]:
        raise _wrong(0, f"begins another way than the quote has come ({', '.join(trail)})")


def faults(mandate: Mandate) -> Iterator[tuple[int, str]]:
    """What does not fit within a mandate, link by link, whoever it is for."""
    links = mandate.links
    if not 1 <= len(links) <= TRAIL_MAX:
        yield 0, f"is one of {len(links)}, and 1 to {TRAIL_MAX} are allowed"
        return
    for number, link in enumerate(links):
        before = links[number - 1] if number else None
        for so, why in (
            (len(link.lines) <= LINES_MAX, f"has more than {LINES_MAX} lines"),
            (link.trace == links[0].trace, "has another trace than the first"),
            (link.act == links[0].act, f"is to {link.act}, and the first to {links[0].act}"),
            (
                before is None or before.to == link.party,
                f"is of {link.party}, and the one before is to {before.to if before else ''}",
            ),
            (
                link.previous == (fingerprint(before) if before else ""),
                "does not sign over the one before",
            ),
            (_is_signed(link), f"is not signed by {link.party} as it stands"),
        ):
            if not so:
                yield number, why
    parties = [link.party for link in links]
    if len(set(parties)) < len(parties):
        yield len(parties) - 1, "closes a ring"


def _is_signed(link: MandateLink) -> bool:
    try:
        if key_id(link.public_key) != link.kid:
            return False
    except HansaError:
        return False
    content = fingerprint(replace(link, signature="")).encode("ascii")
    return is_signed(link.public_key, content, link.signature)


def _wrong(number: int, why: str) -> Refused:
    return Refused(
        "mandate-wrong",
        f"Link {number + 1} of the mandate {why}. Ask again with a mandate that ends with your "
        "own signature over this and holds the others as you received them.",
        field=f"mandate.links.{number}",
    )
