"""Where we stand with each partner, what is netted, and what our books say. `us`: our party."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from hansa.federation import directory
from hansa.federation.papers import StatementState
from hansa.foundation import documents
from hansa.foundation.ids import EntryId, Ids, PartyId, StatementId
from hansa.foundation.money import add_up
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import NewEntry
from hansa.lifecycle.billing import actions as billing
from hansa.lifecycle.billing.model import BillState
from hansa.lifecycle.rating.actions import months as rating
from hansa.lifecycle.settlement.actions import disputes, shares
from hansa.lifecycle.settlement.model import (
    OPEN,
    Books,
    BooksProof,
    Held,
    Netting,
    Position,
)
from hansa.lifecycle.settlement.rules import books as rules
from hansa.lifecycle.settlement.store import papers as store

Pair = tuple[PartyId, str]
"""A partner and a currency."""


def positions(
    tx: Transaction, *, us: PartyId, period: Period, gross: Mapping[PartyId, str] | None = None
) -> Sequence[Position]:
    """Where we stand for the period, by partner and currency.

    A position is held out of netting while any statement between us in that currency is
    open, is still to be made by us, or is still awaited from a partner of which we hold
    something. gross: partners with which nothing may be netted, and why.
    """
    by_pair: dict[Pair, list[Held]] = {}
    for held in store.find(tx, period=period, bare=True):
        pair = (held.partner(us), held.statement.currency)
        by_pair.setdefault(pair, []).append(held)
    reasons = _held_out(tx, us, period, by_pair, gross or {})
    nettings = store.nettings(tx, period, None)
    disputed = disputes.held_out(tx, period=period)
    found = []
    for partner, currency in sorted(by_pair.keys() | reasons.keys()):
        mine = by_pair.get((partner, currency), [])
        receivable, payable = rules.invoiced(mine, us=us, currency=currency)
        netted = add_up(
            (
                one.net
                for one in nettings
                if (one.partner, one.receivable.currency) == (partner, currency)
            ),
            currency,
        )
        found.append(
            Position(
                partner=partner,
                period=period,
                currency=currency,
                receivable=receivable,
                payable=payable,
                netted=netted,
                held_out=tuple(reasons.get((partner, currency), ())),
                disputed_receivable=rules.disputed(mine, disputed, creditor=us),
                disputed_payable=rules.disputed(mine, disputed, debtor=us),
            )
        )
    return found


def _held_out(
    tx: Transaction,
    us: PartyId,
    period: Period,
    by_pair: Mapping[Pair, Sequence[Held]],
    gross: Mapping[PartyId, str],
) -> Mapping[Pair, Sequence[str]]:
    found: dict[Pair, list[str]] = {}
    for pair, why in (
        *((pair, gross[pair[0]]) for pair in by_pair if pair[0] in gross),
        *_open(by_pair),
        *_to_state(tx, us, period),
        *_awaited(tx, us, period, by_pair),
    ):
        found.setdefault(pair, []).append(why)
    return found


def _open(by_pair: Mapping[Pair, Sequence[Held]]) -> Iterator[tuple[Pair, str]]:
    for pair, statements in by_pair.items():
        for held in statements:
            if held.state in OPEN:
                yield pair, f"statement {held.id} is {held.state}"


def _to_state(tx: Transaction, us: PartyId, period: Period) -> Iterator[tuple[Pair, str]]:
    """What we have still to state ourselves."""
    drafts = [one for one in billing.drafts(tx, us=us, period=period) if one.agreement]
    stated = store.of_bills(tx, us, [one.id for one in drafts])
    for draft in drafts:
        if draft.id not in stated:
            yield (draft.buyer, draft.currency), f"bill {draft.id} is still to be stated"
    for agreement, month in store.unshared(tx, us):
        if month == period:
            for one in shares.terms(tx, operator=us, agreement=agreement, period=period):
                pair = (one.share.beneficiary, one.share.currency)
                yield pair, f"revenue under {agreement} is still to be shared"


def _awaited(
    tx: Transaction, us: PartyId, period: Period, by_pair: Mapping[Pair, Sequence[Held]]
) -> Iterator[tuple[Pair, str]]:
    """What partners of which we hold something have still to state to us."""
    if not rating.is_rated(tx, period=period):
        for pair in by_pair:
            yield pair, f"our own {period.name} is not rated yet"
        return
    stated = {
        (held.statement.creditor, held.statement.agreement, currency)
        for (_, currency), statements in by_pair.items()
        for held in statements
        if held.state is not StatementState.WITHDRAWN
    }
    for group in billing.bought_lines(tx, us=us, period=period):
        if group.agreement and (group.party, group.agreement, group.currency) not in stated:
            yield (group.party, group.currency), f"a statement of {group.party} is awaited"


def net(
    tx: Transaction,
    *,
    us: PartyId,
    period: Period,
    ids: Ids,
    now: Instant,
    gross: Mapping[PartyId, str] | None = None,
) -> Sequence[Position]:
    """Moves what is invoiced to the partners' settlement accounts, where nothing is held out.

    Receivables and payables are moved in full but for what is held out for a dispute, so the
    settlement account holds the net; tax documents stay gross, our bills become `settled`. What
    is netted already is not netted again; what was held out follows when its dispute has ended,
    and what was netted before a dispute was heard of is moved back, so that both sides come to
    the same, whoever was first.
    Returns the positions as they stand afterwards, those held out among them. gross: as
    `positions`.
    """
    made = [
        _netting(tx, us, (position.partner, position.currency), period, now)
        for position in positions(tx, us=us, period=period, gross=gross)
        if not position.held_out
    ]
    ledger.post(tx, entries=_netted(tx, made, ids), now=now)
    return positions(tx, us=us, period=period, gross=gross)


def net_these(
    tx: Transaction,
    *,
    us: PartyId,
    period: Period,
    statements: Collection[StatementId],
    ids: Ids,
    now: Instant,
) -> Sequence[NewEntry]:
    """Nets exactly these invoiced statements, as all parties have agreed, held out or not.

    Those netted already stay so. Returns the entries, which the caller posts with its own.
    """
    pairs = {
        (one.partner(us), one.statement.currency)
        for one in store.find(tx, period=period, states=[StatementState.INVOICED])
        if one.id in statements
    }
    made = [_netting(tx, us, pair, period, now, only=statements) for pair in sorted(pairs)]
    return _netted(tx, made, ids)


def _netted(tx: Transaction, made: Sequence[Netting | None], ids: Ids) -> Sequence[NewEntry]:
    entries: list[NewEntry] = []
    for netting in made:
        if netting is not None:
            store.insert_netting(tx, netting)
            entries += _entries(netting, ids)
    return entries


def _netting(
    tx: Transaction,
    us: PartyId,
    pair: Pair,
    period: Period,
    now: Instant,
    *,
    only: Collection[StatementId] | None = None,
) -> Netting | None:
    """What is to be netted with a partner; None when nothing is left.

    only: exactly these statements, in full; else all, but for what is held out.
    """
    partner, currency = pair
    left = [
        one
        for one in store.lock_unnetted(tx, partner, currency, period)
        if only is None or one in only
    ]
    every = [
        one
        for one in store.find(tx, period=period, party=partner)
        if one.statement.currency == currency
    ]
    wanted = [one for one in every if only is None or one.id in only]
    before = [
        one for one in store.nettings(tx, period, partner) if one.receivable.currency == currency
    ]
    lines = rules.to_net(
        wanted,
        rules.netted_before(before),
        {} if only is not None else disputes.held_out(tx, period=period),
        agreed=only is not None,
    )
    if not lines:
        return None
    creditors = {one.id: one.statement.creditor for one in every}
    receivable, payable = (
        add_up(
            (line.amount for line in lines if (creditors[line.statement] == us) is ours), currency
        )
        for ours in (True, False)
    )
    for held in wanted:
        if held.id in left and held.statement.creditor == us and held.bill is not None:
            billing.move(tx, bill=held.bill, state=BillState.SETTLED)
    return Netting(
        key=f"netting/{period.name}/{partner}/{currency}/{len(before) + 1}",
        partner=partner,
        period=period,
        receivable=receivable,
        payable=payable,
        statements=tuple(left),
        lines=lines,
        at=now,
    )


def _entries(netting: Netting, ids: Ids) -> Sequence[NewEntry]:
    """Two entries, one for each direction, so that the gross sums stay to be seen."""
    document = documents.fingerprint(documents.write(netting))
    return [
        NewEntry(
            id=ids.new(EntryId),
            key=f"{netting.key}/{what}",
            kind="netting",
            ref=netting.key,
            document=document,
            words=f"{what.capitalize()} of {netting.period.name} netted with {netting.partner}",
            effective_at=netting.at,
            legs=legs,
        )
        for what, legs in rules.netting_legs(netting)
    ]


def nettings(
    tx: Transaction, *, period: Period | None = None, partner: PartyId | None = None
) -> Sequence[Netting]:
    """What has been netted, in order of time."""
    return store.nettings(tx, period, partner)


def books(tx: Transaction, *, us: PartyId, partner: PartyId | None = None) -> Books:
    """What our ledger says of every partner, or of one, by currency.

    With the outcome of walking our ledger's whole chain. Fit to be laid beside the partners'
    own, see `proof`. Nothing of end customers is in it.
    """
    known = {one.party.id for one in directory.partners(tx)}
    wanted = known if partner is None else known & {partner}
    walked = ledger.verify(tx)
    accounts = [one for one in ledger.balances(tx) if one.party in wanted]
    return Books(
        party=us,
        lines=rules.books_lines(accounts),
        chain_ok=walked.ok,
        chain_head=walked.head,
    )


def proof(books: Sequence[Books]) -> BooksProof:
    """Lays the books of several parties beside each other; see BooksProof."""
    return rules.agree(books)
