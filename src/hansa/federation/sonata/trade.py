"""What is on offer, where, and at what price: catalogue, address, site, qualification, quote."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from hansa.federation.exchange import Answer, Ask, Caller
from hansa.federation.shelf import Page, QuoteState
from hansa.federation.sonata.desk import (
    Desk,
    Serves,
    among,
    answer,
    created,
    dates,
    identity,
    kept,
    listed,
    listing,
    never,
    never_dates,
    short_trail,
    sites,
    texts,
    traced,
)
from hansa.federation.sonata.shapes import address, catalogue, place, qualification, quote
from hansa.federation.sonata.shapes.common import asked
from hansa.federation.sonata.shapes.inventory import SITES
from hansa.foundation.errors import NotFound
from hansa.foundation.ids import QualificationId, QuoteId

log = logging.getLogger(__name__)


class Trade:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._products = desk.settings.products

    def serves(self) -> Sequence[Serves]:
        quotes, one = quote.QUOTES, "{id}"
        asks = qualification.QUALIFICATIONS
        return [
            Serves("catalogue", "GET", catalogue.OFFERINGS, self.offers),
            Serves("catalogue", "GET", f"{catalogue.OFFERINGS}/{one}", self.offer),
            Serves(
                "address",
                "POST",
                address.VALIDATIONS,
                self.validate,
                address.Create,
                faults=True,
                done=200,
            ),
            Serves("address", "GET", f"{address.ADDRESSES}/{one}", self.address),
            Serves("site", "GET", SITES, self.sites, faults=True),
            Serves("site", "GET", f"{SITES}/{one}", self.site),
            Serves("qualification", "POST", asks, self.qualify, qualification.Create, faults=True),
            Serves("qualification", "GET", asks, self.qualifications),
            Serves("qualification", "GET", f"{asks}/{one}", self.qualification),
            Serves("quote", "POST", quotes, self.quote, quote.Create, faults=True),
            Serves("quote", "GET", quotes, self.quotes),
            Serves("quote", "GET", f"{quotes}/{one}", self.quote_by_id),
            Serves(
                "quote", "POST", quote.CANCEL, self.cancel_quote, quote.Act, faults=True, done=200
            ),
            Serves(
                "quote", "POST", quote.REJECT, self.reject_quote, quote.Act, faults=True, done=200
            ),
        ]

    # --- catalogue ------------------------------------------------------------------------------

    def offers(self, ask: Ask, caller: Caller) -> Answer:
        """What the caller may have."""
        shelf = self._desk.found(ask, caller).shelf
        offers = shelf.offers()
        tests = {
            **texts(
                name=lambda one: one.offer.name,
                **{
                    "category.id": lambda one: one.offer.family,
                    "productSpecification.id": lambda one: catalogue.schema_of(
                        one.offer, self._products
                    ),
                },
            ),
            **dates("lastUpdate", lambda one: one.since),
            "lifecycleStatus": among(
                catalogue.STATES, "lifecycleStatus", lambda _: catalogue.STATUS
            ),
            "region.country": listing(lambda one: one.offer.countries),
            **never("agreement", "channel", "marketSegment"),
        }
        return listed(
            ask,
            lambda offset, limit: Page(offers[offset : offset + limit], len(offers)),
            lambda one: catalogue.write_found(one, self._products),
            tests,
        )

    def offer(self, ask: Ask, caller: Caller) -> Answer:
        """One thing that the caller may have."""
        shelf, wanted = self._desk.found(ask, caller).shelf, identity(ask)
        for one in shelf.offers():
            if one.offer.code == wanted:
                return answer(catalogue.write(one, self._products))
        raise NotFound("offer-unknown", "There is no such offering.", field="id")

    # --- where ----------------------------------------------------------------------------------

    def validate(self, ask: Ask, caller: Caller) -> Answer:
        """Whether something is on offer in the country of an address."""
        seller = self._desk.found(ask, caller).seller
        wanted = address.read_asked(
            self._desk.body(ask, "address", "GeographicAddressValidation_Create")
        )
        countries = {country for offer in seller.offers() for country in offer.countries}
        return answer(address.write_validation(wanted, countries))

    def address(self, ask: Ask, caller: Caller) -> Answer:
        """An address that was found good before."""
        self._desk.found(ask, caller)
        wanted = identity(ask)
        return answer(address.write(wanted, place.from_id(wanted)))

    def sites(self, ask: Ask, caller: Caller) -> Answer:
        """The places where the caller has something from us."""
        found = list(sites(self._desk.found(ask, caller).shelf).values())
        tests = {
            **texts(
                name=lambda one: one.name,
                city=lambda one: one.place,
                country=lambda one: one.country,
            ),
            "siteType": among(("public", "private"), "siteType", lambda _: "private"),
            **never(
                "companyName",
                "customerName",
                "description",
                "serviceSiteContactName",
                "geographicAddress.id",
                "streetNr",
                "streetName",
                "streetType",
                "postcode",
            ),
        }
        return listed(
            ask,
            lambda offset, limit: Page(found[offset : offset + limit], len(found)),
            address.write_site,
            tests,
        )

    def site(self, ask: Ask, caller: Caller) -> Answer:
        """One such place."""
        found = sites(self._desk.found(ask, caller).shelf).get(identity(ask))
        if found is None:
            raise NotFound("site-unknown", "There is no such site.", field="id")
        return answer(address.write_site(found))

    # --- can it be had --------------------------------------------------------------------------

    def qualify(self, ask: Ask, caller: Caller) -> Answer:
        """Whether a need can be met, answered at once."""
        desk = self._desk
        seat = desk.found(ask, caller)
        body = desk.body(ask, "qualification", "ProductOfferingQualification_Create")
        need = short_trail(qualification.read_asked(body, desk.asker(ask, caller, seat)))
        made = seat.shelf.qualify(need, extras=kept(body))
        return created(qualification.write(made, desk.contact(), self._products), traced(ask, need))

    def qualifications(self, ask: Ask, caller: Caller) -> Answer:
        """What the caller has asked of late."""
        shelf = self._desk.found(ask, caller).shelf
        tests = {
            "state": among(qualification.STATES, "state", lambda _: qualification.READY),
            **_given("externalId", "projectId"),
            **never_dates("requestedPOQCompletionDate"),
        }
        return listed(
            ask,
            lambda offset, limit: shelf.qualifications(offset=offset, limit=limit),
            qualification.write_found,
            tests,
        )

    def qualification(self, ask: Ask, caller: Caller) -> Answer:
        """One such question with its answer."""
        shelf = self._desk.found(ask, caller).shelf
        found = shelf.qualification(QualificationId(identity(ask)))
        return answer(qualification.write(found, self._desk.contact(), self._products))

    # --- at what price --------------------------------------------------------------------------

    def quote(self, ask: Ask, caller: Caller) -> Answer:
        """A locked price for a need, answered at once."""
        desk = self._desk
        seat = desk.found(ask, caller)
        body = desk.body(ask, "quote", "Quote_Create")
        need = short_trail(quote.read_asked(body, desk.asker(ask, caller, seat)))
        made = seat.shelf.make_quote(need, extras=kept(body))
        log.info(
            "quote",
            extra={"partner": caller.actor.party, "trace": need.trace, "quote": made.quote.id},
        )
        shape = quote.write(made, now=desk.clock.now(), products=self._products)
        return created(shape, traced(ask, need))

    def quotes(self, ask: Ask, caller: Caller) -> Answer:
        """The caller's quotes, the newest first."""
        shelf, now = self._desk.found(ask, caller).shelf, self._desk.clock.now()
        tests = {
            "state": among(quote.STATES, "state", lambda one: quote.state_of(one, now)),
            "quoteLevel": among(
                ("budgetary", "firmSubjectToFeasibilityCheck", "firm"),
                "quoteLevel",
                lambda _: "firm",
            ),
            **_given("externalId", "projectId"),
            **dates("quoteDate", lambda one: one.quote.made_at),
            **dates("effectiveQuoteCompletionDate", lambda one: one.quote.made_at),
            **never_dates("requestedQuoteCompletionDate", "expectedQuoteCompletionDate"),
        }
        return listed(
            ask,
            lambda offset, limit: shelf.quotes(offset=offset, limit=limit),
            lambda one: quote.write_found(one, now),
            tests,
        )

    def quote_by_id(self, ask: Ask, caller: Caller) -> Answer:
        """One quote."""
        found = self._desk.found(ask, caller).shelf.quote(QuoteId(identity(ask)))
        return answer(quote.write(found, now=self._desk.clock.now(), products=self._products))

    def cancel_quote(self, ask: Ask, caller: Caller) -> Answer:
        """The caller has no more use for a quote."""
        return self._move_quote(ask, caller, QuoteState.CANCELLED)

    def reject_quote(self, ask: Ask, caller: Caller) -> Answer:
        """The caller says no to a quote."""
        return self._move_quote(ask, caller, QuoteState.REJECTED)

    def _move_quote(self, ask: Ask, caller: Caller, state: QuoteState) -> Answer:
        shelf = self._desk.found(ask, caller).shelf
        act = quote.read_act(self._desk.body(ask, "quote", "QuoteOperationData"))
        shelf.move_quote(QuoteId(act["quoteId"]), state=state, reason=act.get("reason", ""))
        return answer(act)


def _given(*names: str) -> Any:
    """Filters by what the buyer itself has sent."""
    return texts(**{name: lambda one, name=name: asked(one.extras).get(name) for name in names})
