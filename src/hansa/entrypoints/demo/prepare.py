"""Before the story: what each operator knows of itself, whom it knows, and what all have signed;
after it: what sales have begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hansa.entrypoints import operator_files
from hansa.entrypoints.demo.model import DraftWanted
from hansa.entrypoints.demo.stage import Stage, wait_until
from hansa.entrypoints.operator_files import AgreementFile, Operator
from hansa.federation import directory
from hansa.federation.bulk import Quoted
from hansa.federation.contract import AgreementRef
from hansa.foundation.ids import AgreementId, PartyId
from hansa.foundation.party import Actor
from hansa.foundation.people.actions import audit
from hansa.foundation.site import Site
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.agreement.model import Agreement, AgreementState
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.catalogue.model import ReferenceRate
from hansa.lifecycle.quote.actions import drafts
from hansa.lifecycle.quote.model import DraftHead, Wish
from hansa.node import Node

NOTICE_S = 30
"""How long a notice may be on its way between nodes of one machine."""


def furnish(stage: Stage, operator: Operator, rates: Sequence[ReferenceRate]) -> None:
    """Enters an operator's products, offers, prices, taxes and customers in its node."""
    node = stage.nodes[operator.party.id]
    now = node.clock.now()
    with node.begin() as tx:
        operator_files.put(tx, us=node.us, operator=operator, now=now)
        for rate in rates:
            catalogue.put_rate(tx, rate=rate, now=now)


def join(stage: Stage, one: PartyId, other: PartyId) -> None:
    """Two operators exchange their cards."""
    for mine, theirs in ((one, other), (other, one)):
        node, partner = stage.nodes[mine], stage.nodes[theirs]
        card = directory.invite(
            partner.keys,
            party=partner.us,
            address=partner.settings.address,
            now=partner.clock.now(),
        )
        with node.begin() as tx:
            directory.join(tx, card=card, now=node.clock.now())


def agree(stage: Stage, file: AgreementFile) -> Agreement:
    """The lead drafts, every party signs over the same hash, the lead launches countries.

    Returns when every party's own node knows all of it.
    """
    lead = stage.nodes[next(p.party for p in file.parties if p.role == "lead")]
    document = file.document(id=lead.ids.given(AgreementId, by=lead.us.id), version=1)
    ref = AgreementRef(document.id, 1)
    with lead.begin() as tx:
        agreement.draft(tx, us=lead.us.id, document=document, ids=lead.ids, now=lead.clock.now())
    nodes = [stage.nodes[one.party] for one in document.parties]
    for node in nodes:
        _sign(node, ref)
    for node in nodes:
        _until(node, ref, lambda known: known.state is not AgreementState.DRAFT)
    for country, evidence in file.launch.items():
        _launch(lead, ref, country, evidence)
    for node in nodes:
        _until(node, ref, lambda known: set(known.launched) == set(file.launch))
    with lead.begin() as tx:
        return agreement.show(tx, ref=ref)


def draft(
    node: Node, wanted: DraftWanted, sites: Mapping[str, Site], *, by: str
) -> tuple[int, int]:
    """Begins a quote and has all its sites priced, as its operator's people do in the portal.

    by: who has begun it. Returns how many sites can be had, and of how many.
    """
    now, ids = node.clock.now(), node.ids
    head = DraftHead(
        title=wanted.title,
        buyer=wanted.customer,
        by_partner=False,
        offer=wanted.offer,
        currency=node.us.currency,
        characteristics=wanted.characteristics,
    )
    wishes = tuple(Wish(sites[name], 1, chosen) for name, chosen in wanted.sites.items())
    with node.begin() as tx:
        made = drafts.begin_draft(tx, head=head, by=by, ids=ids, now=now)
        audit.record(tx, by=by, action="quote-begun", subject=made.id, now=now)
        made = drafts.change_draft(
            tx, draft_id=made.id, version=made.version, by=by, now=now, wishes=wishes
        )
        need, key, _parts = drafts.asked_by(made, wishes, trace=ids.trace())
    front = node.storefront(Actor(wanted.customer, "customer"))
    answers = list(front.quote_in_bulk(need, key=key))
    return sum(isinstance(one, Quoted) for one in answers), len(answers)


def _sign(node: Node, ref: AgreementRef) -> None:
    _until(node, ref, lambda _: True)
    with node.begin() as tx:
        agreement.sign(
            tx, us=node.us.id, ref=ref, keys=node.keys, ids=node.ids, now=node.clock.now()
        )


def _launch(node: Node, ref: AgreementRef, country: str, evidence: Mapping[str, str]) -> None:
    with node.begin() as tx:
        for gate, shown in evidence.items():
            agreement.pass_gate(
                tx,
                us=node.us.id,
                ref=ref,
                country=country,
                gate=gate,
                evidence=shown,
                by="country lead",
                now=node.clock.now(),
            )
        agreement.launch(
            tx,
            us=node.us.id,
            ref=ref,
            country=country,
            keys=node.keys,
            ids=node.ids,
            now=node.clock.now(),
        )


def _until(node: Node, ref: AgreementRef, so: Callable[[Agreement], bool]) -> None:
    """Waits until this node knows the agreement to be so."""

    def known() -> bool:
        with node.begin() as tx:
            return any(one.ref == ref and so(one) for one in agreement.all(tx))

    wait_until(known, timeout_s=NOTICE_S, what=f"{node.us.id} hearing of {ref.id}")
