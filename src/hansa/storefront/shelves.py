"""This node as a Shelf: what it keeps between itself and one actor.

Bound to one actor as the storefront is, and joined with it: what is bought here is bought
there. Every call opens its own transactions; none is open while a seller is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from hansa.federation.contract import Need, OrderState, UsageRecord
from hansa.federation.shelf import (
    PAGE,
    BillRequest,
    BillStage,
    Cancellation,
    CancellationState,
    Extras,
    Page,
    QualificationKind,
    QuoteState,
    ShelfAgreement,
    ShelfBill,
    ShelfHolding,
    ShelfOffer,
    ShelfOrder,
    ShelfQualification,
    ShelfQuote,
)
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import (
    AgreementId,
    BillRequestId,
    BuyerKey,
    CancellationId,
    HoldingId,
    Ids,
    OrderId,
    PartyId,
    QualificationId,
    QuoteId,
)
from hansa.foundation.party import Actor
from hansa.foundation.time import Clock, Instant, Period
from hansa.foundation.transaction import Begin
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.agreement.model import Agreement
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.delivery import actions as delivery
from hansa.lifecycle.inventory import actions as inventory
from hansa.lifecycle.inventory.model import HoldingRef, HoldingState
from hansa.lifecycle.order.actions import ending, orders
from hansa.lifecycle.qualification import actions as qualification
from hansa.lifecycle.quote.actions import quotes
from hansa.lifecycle.settlement.actions import shelf as bills
from hansa.lifecycle.usage.actions import months as usage
from hansa.storefront.seller import Storefront


class Shelves:
    """What this node keeps for one actor.

    front: the same actor's storefront. usage_folder: where usage files are kept.
    """

    def __init__(
        self,
        *,
        us: PartyId,
        actor: Actor,
        front: Storefront,
        begin: Begin,
        ids: Ids,
        clock: Clock,
        usage_folder: Path,
    ) -> None:
        self._us = us
        self._actor = actor
        self._front = front
        self._begin = begin
        self._ids = ids
        self._clock = clock
        self._usage_folder = usage_folder
        self._party = None if actor.role == "operator" else actor.party

    # --- what is on offer -----------------------------------------------------------------------

    def offers(self) -> Sequence[ShelfOffer]:
        with self._begin() as tx:
            found = catalogue.shelf_offers(
                tx, us=self._us, actor=self._actor, now=self._clock.now()
            )
        by_code = {one.offer.code: one for one in reversed(found)}
        return [by_code[code] for code in sorted(by_code)]

    # --- qualifications -------------------------------------------------------------------------

    def qualify(
        self, need: Need, *, kind: QualificationKind = "offering", extras: Extras | None = None
    ) -> ShelfQualification:
        made = self._front.qualify(need)
        with self._begin() as tx:
            return qualification.keep(
                tx,
                buyer=self._actor.party,
                kind=kind,
                qualification=made,
                need=need,
                extras=extras or {},
                ids=self._ids,
                now=self._clock.now(),
            )

    def qualifications(
        self, *, kind: QualificationKind = "offering", offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfQualification]:
        with self._begin() as tx:
            return qualification.all_kept(
                tx,
                kind=kind,
                buyer=self._party,
                now=self._clock.now(),
                offset=offset,
                limit=limit,
            )

    def qualification(
        self, qualification_id: QualificationId, *, kind: QualificationKind = "offering"
    ) -> ShelfQualification:
        with self._begin() as tx:
            return qualification.kept(
                tx,
                qualification_id=qualification_id,
                kind=kind,
                buyer=self._party,
                now=self._clock.now(),
            )

    # --- quotes ---------------------------------------------------------------------------------

    def make_quote(self, need: Need, *, extras: Extras | None = None) -> ShelfQuote:
        quote = self._front.quote(need, extras=extras)
        return ShelfQuote(
            quote, QuoteState.APPROVED, quote.made_at, need.trace, extras=extras or {}
        )

    def quotes(
        self, *, state: QuoteState | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfQuote]:
        with self._begin() as tx:
            return quotes.shelf_quotes(
                tx, buyer=self._party, state=state, offset=offset, limit=limit
            )

    def quote(self, quote_id: QuoteId) -> ShelfQuote:
        with self._begin() as tx:
            return quotes.shelf_quote(tx, quote_id=quote_id, buyer=self._party)

    def move_quote(self, quote_id: QuoteId, *, state: QuoteState, reason: str = "") -> ShelfQuote:
        with self._begin() as tx:
            return quotes.move(
                tx,
                quote_id=quote_id,
                state=state,
                reason=reason,
                ids=self._ids,
                now=self._clock.now(),
                buyer=self._party,
            )

    # --- orders ---------------------------------------------------------------------------------

    def place_order(
        self, quote_id: QuoteId, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        key = key or self._new_key()
        return self.order(self._front.order(quote_id=quote_id, key=key, extras=extras).id)

    def order_outright(
        self, need: Need, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        if key is not None:
            with self._begin() as tx:
                before = orders.placed_outright(
                    tx, us=self._us, actor=self._actor, key=key, need=need
                )
            if before is not None:
                return self.order(before.id)
        quote = self._front.quote(need)
        key = key or self._new_key()
        placed = self._front.order(quote_id=quote.id, key=key, outright=need, extras=extras)
        return self.order(placed.id)

    def end_order(
        self, order_id: OrderId, *, key: BuyerKey | None = None, extras: Extras | None = None
    ) -> ShelfOrder:
        key = key or self._new_key()
        return self.order(self._front.cease(order_id=order_id, key=key, extras=extras).id)

    def _new_key(self) -> BuyerKey:
        """A key for a buyer that gave none: no other request can have it."""
        return BuyerKey(f"none-{self._ids.trace()}")

    def orders(
        self, *, state: OrderState | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfOrder]:
        with self._begin() as tx:
            return delivery.shelf_orders(
                tx, us=self._us, buyer=self._party, state=state, offset=offset, limit=limit
            )

    def order(self, order_id: OrderId) -> ShelfOrder:
        with self._begin() as tx:
            return delivery.shelf_order(tx, us=self._us, order_id=order_id, buyer=self._party)

    def cancel_order(
        self,
        order_id: OrderId,
        *,
        reason: str = "",
        wished_for: Instant | None = None,
        extras: Extras | None = None,
    ) -> Cancellation:
        with self._begin() as tx:
            return ending.cancel(
                tx,
                us=self._us,
                actor=self._actor,
                order_id=order_id,
                reason=reason,
                wished_for=wished_for,
                ids=self._ids,
                now=self._clock.now(),
                extras=extras,
            )

    def cancellations(
        self,
        *,
        state: CancellationState | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> Page[Cancellation]:
        with self._begin() as tx:
            return ending.cancellations(
                tx, buyer=self._party, state=state, offset=offset, limit=limit
            )

    def cancellation(self, cancellation_id: CancellationId) -> Cancellation:
        with self._begin() as tx:
            return ending.cancellation(tx, cancellation_id=cancellation_id, buyer=self._party)

    # --- holdings and their usage ---------------------------------------------------------------

    def holdings(
        self,
        *,
        state: Literal["active", "terminated"] | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> Page[ShelfHolding]:
        with self._begin() as tx:
            return inventory.shelf_holdings(
                tx,
                us=self._us,
                buyer=self._party,
                state=None if state is None else HoldingState(state),
                offset=offset,
                limit=limit,
            )

    def holding(self, holding_id: HoldingId) -> ShelfHolding:
        with self._begin() as tx:
            ref = HoldingRef(self._us, holding_id)
            return inventory.shelf_holding(tx, ref=ref, buyer=self._party)

    def usage(
        self, *, period: Period | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[UsageRecord]:
        with self._begin() as tx:
            found = usage.of_buyer(
                tx, us=self._us, buyer=self._party, period=period, folder=self._usage_folder
            )
        return Page(found[offset : offset + limit], len(found))

    def usage_record(self, record_id: str) -> UsageRecord:
        with self._begin() as tx:
            return usage.record(
                tx, us=self._us, buyer=self._party, id=record_id, folder=self._usage_folder
            )

    # --- bills ----------------------------------------------------------------------------------

    def bills(
        self, *, state: BillStage | None = None, offset: int = 0, limit: int = PAGE
    ) -> Page[ShelfBill]:
        with self._begin() as tx:
            return bills.bills(
                tx, us=self._us, party=self._party, state=state, offset=offset, limit=limit
            )

    def bill(self, bill_id: str) -> ShelfBill:
        with self._begin() as tx:
            return bills.bill(tx, us=self._us, id=bill_id, party=self._party)

    def request_bill(self, *, extras: Extras | None = None) -> BillRequest:
        with self._begin() as tx:
            newest = bills.bills(tx, us=self._us, party=self._party, limit=1).things
            return billing.request(
                tx,
                buyer=self._actor.party,
                bill=newest[0].id if newest else "",
                extras=extras or {},
                ids=self._ids,
                now=self._clock.now(),
            )

    def bill_requests(self, *, offset: int = 0, limit: int = PAGE) -> Page[BillRequest]:
        with self._begin() as tx:
            return billing.requests(tx, buyer=self._party, offset=offset, limit=limit)

    def bill_request(self, request_id: BillRequestId) -> BillRequest:
        with self._begin() as tx:
            return billing.request_of(tx, id=request_id, buyer=self._party)

    # --- agreements -----------------------------------------------------------------------------

    def agreements(self, *, offset: int = 0, limit: int = PAGE) -> Page[ShelfAgreement]:
        found = self._agreements()
        return Page(found[offset : offset + limit], len(found))

    def agreement(self, agreement_id: AgreementId) -> ShelfAgreement:
        for one in self._agreements():
            if one.document.id == agreement_id:
                return one
        raise NotFound(
            "agreement-unknown", f"You have no agreement {agreement_id} with us.", field="agreement"
        )

    def _agreements(self) -> Sequence[ShelfAgreement]:
        """Those of this actor, the newest first."""
        now = self._clock.now()
        with self._begin() as tx:
            known = agreement.all(tx)
        mine = [one for one in known if self._party is None or self._party in one.parties]
        by_id = groupby(mine, key=lambda one: one.ref.id)
        return [_counting(versions, now) for _, versions in by_id][::-1]


def _counting(versions: Iterable[Agreement], now: Instant) -> ShelfAgreement:
    """The version that counts now, or the newest one if none does."""
    found = list(versions)
    in_force = [one for one in found if one.in_force is not None and one.in_force.holds(now)]
    one = in_force[0] if in_force else found[-1]
    return ShelfAgreement(
        document=one.document,
        fingerprint=one.fingerprint,
        state=one.state.value,
        signatures=one.signatures,
        launched=one.launched,
        in_force_from=one.in_force.start if one.in_force else None,
        in_force_to=one.in_force.end if one.in_force else None,
    )
