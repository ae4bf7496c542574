"""Pricing as pure functions: list price, and what partners charge passed on with a margin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from hansa.federation.bulk import Priced, Quoted, Unquoted
from hansa.federation.contract import (
    AgreementRef,
    DeckTariff,
    Need,
    NeedItem,
    PercentileTariff,
    Quote,
    Tariff,
    Terms,
    Tier,
    VoiceBand,
    VoiceTariff,
)
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import TraceId
from hansa.foundation.money import Money, Rounding, minor_digits, round_fraction
from hansa.foundation.time import Instant
from hansa.lifecycle.qualification.model import Wanted
from hansa.lifecycle.quote.model import WISHES_MAX, Draft, DraftHead, Wish

VALIDITY = timedelta(days=14)
"""How long a quote of ours stands, if no supplier's quote behind it ends sooner."""

RATE_DECIMALS = Decimal("0.000001")
"""Resold usage rates are rounded half-up to six decimals, once, when the quote is made."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a supplier charges for one part. rate: our currency for one of theirs."""

    terms: Terms
    metered: bool
    rate: Decimal


def line_terms(wanted: Wanted, listed: Terms, costs: Sequence[Cost]) -> Terms:
    """The terms of one line: list price, plus costs with the margin where the list says so.

    Each amount is rounded once. A change of something held has no one-off part of our own.
    """
    price = wanted.price
    one_off, monthly, tariff = listed.one_off, listed.monthly, listed.tariff
    if wanted.holding is not None:
        one_off = Money.zero(price.currency)
    if price.margin_bp is not None:
        one_off = _with_costs(one_off, [(c.terms.one_off, c.rate) for c in costs], price.margin_bp)
        monthly = _with_costs(monthly, [(c.terms.monthly, c.rate) for c in costs], price.margin_bp)
        for cost in costs:
            if tariff is None and cost.metered and cost.terms.tariff is not None:
                tariff = marked_up(cost.terms.tariff, cost.rate, price.margin_bp)
    return Terms(one_off, monthly, tariff)


def _with_costs(base: Money, costs: Sequence[tuple[Money, Decimal]], margin_bp: int) -> Money:
    exact = Fraction(base.minor)
    for cost, rate in costs:
        shift = Fraction(10) ** (minor_digits(base.currency) - minor_digits(cost.currency))
        exact += cost.minor * Fraction(rate) * shift * Fraction(10_000 + margin_bp, 10_000)
    return Money(round_fraction(exact, Rounding.HALF_UP), base.currency)


def cost(costs: Sequence[Cost], currency: str) -> tuple[Money, Money]:
    """What these parts come to in our currency, one-off and monthly, each rounded once."""
    nothing = Money.zero(currency)
    return (
        _with_costs(nothing, [(c.terms.one_off, c.rate) for c in costs], 0),
        _with_costs(nothing, [(c.terms.monthly, c.rate) for c in costs], 0),
    )


def marked_up(tariff: Tariff, rate: Decimal, margin_bp: int) -> Tariff:
    """A supplier's usage tariff in our currency with our margin on every rate.

    Raises Refused `deck-not-passed-on`: who resells calls by a deck has a deck of its own.
    """
    if isinstance(tariff, DeckTariff):
        raise Refused(
            "deck-not-passed-on",
            f"Calls by the deck {tariff.deck} cannot be resold with a margin on top; give the "
            "offer a tariff of its own in the price list.",
            field="tariff",
        )

    def ours(theirs: Decimal) -> Decimal:
        with localcontext() as context:
            context.prec = 40
            exact = theirs * rate * (10_000 + margin_bp) / 10_000
            return exact.quantize(RATE_DECIMALS, rounding=ROUND_HALF_UP)

    if isinstance(tariff, PercentileTariff):
        return replace(tariff, rate_per_mbps=ours(tariff.rate_per_mbps))
    if isinstance(tariff, VoiceTariff):
        return replace(tariff, bands=tuple(_band(band, ours) for band in tariff.bands))
    tiers = tuple(Tier(tier.up_to, ours(tier.rate)) for tier in tariff.tiers)
    return replace(tariff, tiers=tiers)


def _band(band: VoiceBand, ours: Callable[[Decimal], Decimal]) -> VoiceBand:
    return replace(
        band,
        peak_per_min=ours(band.peak_per_min),
        offpeak_per_min=ours(band.offpeak_per_min),
        setup=ours(band.setup),
    )


# --- in bulk ----------------------------------------------------------------------------------

BULK_MAX = 100_000
"""The most items of a need that is answered part by part."""

PART = 250
"""Items answered at a time: few enough that the first answers come soon."""


def check_bulk(need: Need) -> None:
    """Raises Refused for a need that is empty, too long, or names two items alike."""
    if not need.items:
        raise Refused("need-empty", "Ask for at least one item.", field="items")
    if len(need.items) > BULK_MAX:
        raise Refused(
            "need-too-long", f"Ask for at most {BULK_MAX} items at a time.", field="items"
        )
    name, count = Counter(item.id for item in need.items).most_common(1)[0]
    if count > 1:
        raise Refused(
            "item-duplicate",
            f"{count} items are called {name!r}; name each of them once.",
            field=f"items.{name}",
        )


def asked(need: Need) -> str:
    """The fingerprint of what is asked: all of the need but its trace."""
    return documents.fingerprint(documents.write(replace(need, trace=TraceId(""))))


def parts(need: Need) -> Sequence[Need]:
    """The need cut into parts, in order."""
    starts = range(0, len(need.items), PART)
    return [replace(need, items=need.items[start : start + PART]) for start in starts]


def by_agreement(wanted: Sequence[Wanted]) -> Sequence[Sequence[Wanted]]:
    """Items that fall under the same agreement: one quote is under one."""
    groups: dict[AgreementRef | None, list[Wanted]] = {}
    for one in wanted:
        groups.setdefault(one.agreement, []).append(one)
    return list(groups.values())


def named(refusal: Refused, items: Iterable[str]) -> frozenset[str]:
    """The one of these items that a refusal is about, if it is about one."""
    about = [item for item in items if f"{refusal.field}.".startswith(f"items.{item}.")]
    return frozenset({max(about, key=len)} if about else ())


def answers(part: Need, quotes: Sequence[Quote], refusals: Sequence[Unquoted]) -> Sequence[Priced]:
    """One answer an item, in the order asked."""
    known: dict[str, Priced] = {no.item: no for no in refusals}
    for quote in quotes:
        for line in quote.lines:
            known[line.item] = Quoted(line.item, quote.id, quote.valid_until, line)
    return [known[item.id] for item in part.items]


def valid_until(now: Instant, supplies: Sequence[Quote]) -> Instant:
    """Our own validity, or the first supplier's quote to end if that is sooner."""
    return min([now + VALIDITY, *(supply.valid_until for supply in supplies)])


# --- drafts -------------------------------------------------------------------------------------

TITLE_MAX = 120


def check_head(head: DraftHead) -> None:
    """Raises Refused `draft-invalid`."""
    title = head.title.strip()
    if not title or len(title) > TITLE_MAX or not title.isprintable():
        raise Refused(
            "draft-invalid",
            f"Give the quote a title of 1 to {TITLE_MAX} characters, by which people find it.",
            field="title",
        )


def check_wishes(wishes: Sequence[Wish]) -> None:
    """Raises Refused `draft-too-long`, `item-duplicate`."""
    if len(wishes) > WISHES_MAX:
        raise Refused(
            "draft-too-long",
            f"The list has {len(wishes)} sites; one quote takes {WISHES_MAX}. Split the list, or "
            f"have it priced by `hansa quote bulk`, which takes {BULK_MAX}.",
            field="sites",
        )
    for name, count in Counter(wish.site.id for wish in wishes).most_common(1):
        if count > 1:
            raise Refused(
                "item-duplicate",
                f"{count} sites are called {name!r}; name each of them once.",
                field="sites",
            )


def need(draft: Draft, wishes: Sequence[Wish], trace: TraceId) -> Need:
    """All that a draft asks for. An offer for the order as a whole is asked for once."""
    head = draft.head
    items = [
        NeedItem(
            id=wish.site.id,
            offer=head.offer,
            site=wish.site,
            characteristics={**head.characteristics, **wish.characteristics},
            quantity=wish.quantity,
        )
        for wish in wishes
    ] or [NeedItem(id="1", offer=head.offer, characteristics=head.characteristics)]
    trail = (head.buyer,) if head.by_partner else ()
    return Need(tuple(items), head.currency, trace, trail)
