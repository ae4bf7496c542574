"""The tables of agreements and customers, and every line of SQL about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import AgreementDocument, AgreementMoved, Signature
from hansa.foundation import documents
from hansa.foundation.database import Jsonb, all_rows, one_row, run, some_rows
from hansa.foundation.ids import AgreementId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement.model import (
    Agreement,
    AgreementState,
    Country,
    CountryState,
    Customer,
    GatePassed,
    InForce,
    Listed,
    Standing,
)

# --- agreements ---------------------------------------------------------------------------------


def lock(tx: Transaction, agreement: AgreementId) -> bool:
    """Makes every other change of this agreement wait; False when there is no such agreement."""
    sql = "select 1 from agreement_life where id = %s for update"
    return one_row(tx, sql, (agreement,)) is not None


def open_life(tx: Transaction, agreement: AgreementId, lead: PartyId) -> None:
    """Makes the agreement known, if it still is not, and locks it."""
    run(
        tx,
        "insert into agreement_life (id, lead) values (%s, %s) on conflict (id) do nothing",
        (agreement, lead),
    )
    lock(tx, agreement)


def add_version(
    tx: Transaction,
    document: AgreementDocument,
    *,
    fingerprint: str,
    countries: Sequence[str],
    now: Instant,
) -> None:
    """Keeps a draft with its parties, items and planned countries."""
    key = (document.id, document.version)
    run(
        tx,
        """insert into agreement_version
           (agreement, version, fingerprint, document, recorded_at, state)
           values (%s, %s, %s, %s, %s, %s)""",
        (*key, fingerprint, Jsonb(documents.write(document)), now, AgreementState.DRAFT),
    )
    for one in document.parties:
        run(
            tx,
            "insert into agreement_party (agreement, version, party, role) values (%s, %s, %s, %s)",
            (*key, one.party, one.role),
        )
    for position, item in enumerate(document.items):
        run(
            tx,
            """insert into agreement_item
               (agreement, version, position, seller, buyer, price_list)
               values (%s, %s, %s, %s, %s, %s)""",
            (*key, position, item.seller, item.buyer, item.price_list),
        )
    for country in countries:
        run(
            tx,
            """insert into agreement_country (agreement, version, country, state)
               values (%s, %s, %s, %s)""",
            (*key, country, CountryState.PLANNED),
        )


def add_signature(
    tx: Transaction, ref: AgreementRef, signature: Signature, *, now: Instant
) -> None:
    run(
        tx,
        """insert into agreement_signature
           (agreement, version, party, value, signed_at, recorded_at)
           values (%s, %s, %s, %s, %s, %s)""",
        (ref.id, ref.version, signature.party, signature.value, signature.at, now),
    )


def add_move(tx: Transaction, notice: AgreementMoved, *, now: Instant) -> None:
    run(
        tx,
        """insert into agreement_move
           (agreement, moved_by, moved_at, version, act, notice, recorded_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            notice.agreement.id,
            notice.signature.party,
            notice.signature.at,
            notice.agreement.version,
            notice.act,
            Jsonb(documents.write(notice)),
            now,
        ),
    )


def moves(tx: Transaction, agreement: AgreementId) -> list[AgreementMoved]:
    """Every move that is known, as it was signed."""
    rows = all_rows(
        tx,
        """select notice from agreement_move where agreement = %s
           order by moved_at, moved_by""",
        (agreement,),
    )
    return [documents.read(AgreementMoved, row["notice"]) for row in rows]


def add_gate(tx: Transaction, agreement: AgreementId, country: str, gate: GatePassed) -> None:
    """Records what was shown; a gate that is already on record keeps what was shown first."""
    run(
        tx,
        """insert into agreement_gate (agreement, country, gate, evidence, passed_by, passed_at)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        (agreement, country, gate.gate, gate.evidence, gate.by, gate.at),
    )


def put_standings(tx: Transaction, agreement: AgreementId, standings: Sequence[Standing]) -> None:
    """Where the versions stand now; in order, so that one gives way before the next begins."""
    for one in standings:
        force = one.in_force
        run(
            tx,
            """update agreement_version
               set state = %(state)s,
                   in_force = case when %(start)s::timestamptz is not null
                                   then tstzrange(%(start)s, %(end)s) end
               where agreement = %(agreement)s and version = %(version)s""",
            {
                "state": one.state,
                "start": None if force is None else force.start,
                "end": None if force is None else force.end,
                "agreement": agreement,
                "version": one.version,
            },
        )
        for country, since in one.live.items():
            run(
                tx,
                """update agreement_country set state = %s, live_since = %s
                   where agreement = %s and version = %s and country = %s""",
                (CountryState.LIVE, since, agreement, one.version, country),
            )
        run(
            tx,
            """update agreement_country set state = %s, live_since = null
               where agreement = %s and version = %s and not country = any(%s)
                 and state = %s""",
            (CountryState.PLANNED, agreement, one.version, list(one.live), CountryState.LIVE),
        )


def versions(tx: Transaction, agreement: AgreementId) -> list[Agreement]:
    """Every version of one agreement, in order; empty when it is not known."""
    sql = "select * from agreement_as_known where agreement = %s order by version"
    return [_agreement(row) for row in all_rows(tx, sql, (agreement,))]


def agreements(tx: Transaction) -> list[Agreement]:
    """Every version of every agreement, the oldest agreement first."""
    sql = "select * from agreement_as_known order by agreement, version"
    return [_agreement(row) for row in all_rows(tx, sql)]


_SHOWN = """select k.* from agreement_life l
join lateral (select k.*, max(k.version) over () as newest from agreement_as_known k
              where k.agreement = l.id
              order by k.in_force @> %(now)s::timestamptz desc nulls last, k.version desc
              limit 1) k on true
where (%(state)s::text is null or k.state = %(state)s)
  and (%(text)s = '' or strpos(lower(k.document ->> 'name'), lower(%(text)s)) > 0
       or strpos(k.agreement, %(text)s) > 0
       or exists (select from agreement_party p where p.agreement = k.agreement
                  and strpos(p.party, lower(%(text)s)) > 0))
"""


def page(
    tx: Transaction, wanted: Mapping[str, Any], offset: int, limit: int
) -> tuple[list[Listed], int]:
    """One version of each agreement that is wanted, the newest agreement first; and how many."""
    rows, total = some_rows(tx, _SHOWN, wanted, order="l.id desc", offset=offset, limit=limit)
    return [Listed(_agreement(row), row["newest"]) for row in rows], total


def between(tx: Transaction, seller: PartyId, buyer: PartyId) -> list[list[Agreement]]:
    """All versions of each agreement in which the seller ever sold to the buyer."""
    sql = "select * from agreement_between(%s, %s) order by agreement, version"
    return _grouped(all_rows(tx, sql, (seller, buyer)))


def in_force_within(tx: Transaction, period: Period) -> list[list[Agreement]]:
    """The versions of each agreement that were in force at any moment of the period."""
    rows = all_rows(
        tx,
        """select * from agreement_as_known where in_force && tstzrange(%s, %s)
           order by agreement, version""",
        (period.start, period.end),
    )
    return _grouped(rows)


def _grouped(rows: Iterable[dict[str, Any]]) -> list[list[Agreement]]:
    found = groupby((_agreement(row) for row in rows), key=lambda one: one.ref.id)
    return [list(versions) for _, versions in found]


def _agreement(row: dict[str, Any]) -> Agreement:
    gates: dict[str, list[GatePassed]] = {}
    for country, gate, evidence, by, at in row["gates"] or ():
        gates.setdefault(country, []).append(
            GatePassed(gate, evidence, by, Instant.fromisoformat(at))
        )
    return Agreement(
        ref=AgreementRef(AgreementId(row["agreement"]), row["version"]),
        document=documents.read(AgreementDocument, row["document"]),
        fingerprint=row["fingerprint"],
        state=AgreementState(row["state"]),
        in_force=InForce(row["starts"], row["ends"]) if row["starts"] else None,
        signatures=tuple(
            Signature(PartyId(party), value, Instant.fromisoformat(at))
            for party, value, at in row["signatures"] or ()
        ),
        countries=tuple(
            Country(
                country,
                CountryState(state),
                Instant.fromisoformat(since) if since else None,
                tuple(gates.get(country, ())),
            )
            for country, state, since in row["countries"] or ()
        ),
    )


# --- customers ----------------------------------------------------------------------------------


def add_customer(tx: Transaction, customer: Customer) -> None:
    """Keeps a customer; one that is already there stays as it is."""
    party, limit = customer.party, customer.credit_limit
    run(
        tx,
        """insert into agreement_customer (party, name, country, currency, tax_id, price_list,
                                           credit_minor, credit_currency, registered_at)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (party) do nothing""",
        (
            party.id,
            party.name,
            party.country,
            party.currency,
            party.tax_id,
            customer.price_list,
            None if limit is None else limit.minor,
            None if limit is None else limit.currency,
            customer.registered_at,
        ),
    )


def customer(tx: Transaction, party: PartyId) -> Customer | None:
    row = one_row(tx, "select * from agreement_customer where party = %s", (party,))
    return _customer(row) if row else None


def customers(tx: Transaction) -> list[Customer]:
    rows = all_rows(tx, "select * from agreement_customer order by party")
    return [_customer(row) for row in rows]


def _customer(row: dict[str, Any]) -> Customer:
    limited = row["credit_minor"] is not None
    return Customer(
        party=Party(
            id=PartyId(row["party"]),
            name=row["name"],
            country=row["country"],
            currency=row["currency"],
            tax_id=row["tax_id"],
        ),
        price_list=row["price_list"],
        credit_limit=Money(row["credit_minor"], row["credit_currency"]) if limited else None,
        registered_at=row["registered_at"],
    )
