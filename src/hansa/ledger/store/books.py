"""The tables of accounts, entries and holds, and the SQL about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import psycopg.errors

from hansa.foundation.database import all_rows, one_row
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import EntryId, HoldId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger.model import (
    Account,
    AccountKind,
    AccountSpec,
    Entry,
    Hold,
    HoldState,
    NewEntry,
    PostedLeg,
)


@contextmanager
def _write() -> Iterator[None]:
    """Turns what PostgreSQL says of clashing writers into words."""
    try:
        yield
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
        raise TryLater(
            "ledger-busy", "Another posting was in the way; send the same again.", after_s=0.1
        ) from None
    except psycopg.errors.UniqueViolation as error:
        name = error.diag.constraint_name or ""
        if name == "ledger_entry_reverses_key":
            raise Refused(
                "entry-reversed", "Two entries reverse the same one: send one of them."
            ) from None
        if name not in ("ledger_entry_pkey", "ledger_entry_id_key", "ledger_hold_pkey"):
            raise
        raise Refused(
            "id-reused", "This id is in the books under another key: make a new one.", field="id"
        ) from None


# --- accounts ---------------------------------------------------------------------------------


def open_account(tx: Transaction, spec: AccountSpec) -> None:
    """Opens the account unless it is open; raises Refused `account-differs`."""
    given = {
        "codes": [spec.code],
        "kinds": [spec.kind],
        "parties": [spec.party],
        "currencies": [spec.currency],
    }
    with _write():
        one_row(
            tx,
            """select ledger_open(%(codes)s::text[], %(kinds)s::text[], %(parties)s::text[],
                                  %(currencies)s::text[])""",
            given,
        )
    wrong = one_row(
        tx,
        """select * from ledger_account_faults(%(codes)s::text[], %(kinds)s::text[],
                                               %(parties)s::text[], %(currencies)s::text[])""",
        given,
    )
    if wrong is not None:
        _refuse_account(spec.code, wrong["outcome"])


def _refuse_account(code: str, outcome: str) -> NoReturn:
    if outcome == "account-unknown":
        raise NotFound(
            "account-unknown", f"There is no account {code!r} in these books.", field="account"
        )
    raise Refused(
        "account-differs",
        f"Account {code} is open with another kind, party or currency than asked for here.",
        field="account",
    )


def account(tx: Transaction, code: str) -> Account | None:
    row = one_row(tx, "select * from ledger_balance where code = %s", (code,))
    return None if row is None else _account(row)


def accounts(tx: Transaction, party: PartyId | None) -> list[Account]:
    rows = all_rows(
        tx,
        """select * from ledger_balance
            where %(party)s::text is null or party = %(party)s order by code""",
        {"party": party},
    )
    return [_account(row) for row in rows]


_BALANCES = "select * from ledger_balance"
_COUNT = "select count(*) as total from ledger_account"
_WANTED = """where (%(text)s = '' or strpos(code, %(text)s) > 0)
               and (%(kind)s::text is null or kind = %(kind)s)
               and (%(currency)s::text is null or currency = %(currency)s)"""


def page(tx: Transaction, wanted: dict[str, Any]) -> tuple[list[Account], int]:
    """Accounts in order of code from `offset` on, at most `limit`, and how many there are."""
    rows = all_rows(
        tx,
        f"{_BALANCES} {_WANTED} order by code offset %(offset)s limit %(limit)s",
        wanted,
    )
    count = one_row(tx, f"{_COUNT} {_WANTED}", wanted)
    assert count is not None
    return [_account(row) for row in rows], count["total"]


def sums(tx: Transaction) -> list[tuple[AccountKind, str, int]]:
    """The balances of each kind and currency, added up."""
    rows = all_rows(
        tx,
        """select kind, currency, sum(balance)::bigint as minor from ledger_balance
            group by kind, currency order by currency, kind""",
    )
    return [(row["kind"], row["currency"], row["minor"]) for row in rows]


def _account(row: dict[str, Any]) -> Account:
    return Account(
        code=row["code"],
        kind=row["kind"],
        party=None if row["party"] is None else PartyId(row["party"]),
        balance=Money(row["balance"], row["currency"]),
        legs=row["legs"],
    )


def exposure(tx: Transaction, party: PartyId, currency: str) -> Money:
    row = one_row(tx, "select ledger_exposure(%s, %s) as minor", (party, currency))
    return Money(row["minor"] if row else 0, currency)


# --- posting ----------------------------------------------------------------------------------


def post(
    tx: Transaction, entries: Sequence[NewEntry], requests: Sequence[str], now: Instant
) -> Sequence[EntryId | None]:
    """One call for all entries; see `ledger_post` in the schema.

    requests: the SHA-256 of what each entry asks, in hexadecimal.
    """
    named, legs = _legs(entries)
    specs = [named_as.spec for named_as in named.values()]
    with _write():
        rows = all_rows(
            tx,
            """select place, outcome from ledger_post(%s, %b::text[], %b::text[], %b::text[],
                   %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
                   %b::text[], %b::text[], %b::timestamptz[], %b::text[],
                   %b::int[], %b::int[], %b::int[], %b::bigint[])""",
            (
                now,
                list(named),
                [None if spec is None else spec.kind for spec in specs],
                [None if spec is None else spec.party for spec in specs],
                [named_as.currency for named_as in named.values()],
                [entry.id for entry in entries],
                [entry.key for entry in entries],
                list(requests),
                [entry.kind for entry in entries],
                [entry.ref for entry in entries],
                [entry.document for entry in entries],
                [entry.words for entry in entries],
                [entry.effective_at for entry in entries],
                [entry.reverses for entry in entries],
                *legs,
            ),
        )
    for row in rows:
        _refuse(row["outcome"], row["place"] - 1, entries, list(named))
    return [
        entry.id if row["outcome"] == "posted" else None
        for entry, row in zip(entries, rows, strict=True)
    ]


@dataclass(slots=True)
class _Named:
    """An account as the entries of one call name it: described by at least one leg, or by none."""

    place: int
    currency: str
    spec: AccountSpec | None


def _legs(entries: Sequence[NewEntry]) -> tuple[dict[str, _Named], tuple[list[int], ...]]:
    """The accounts by code, in the order of their places; and the legs as four columns.

    Raises Refused `account-differs` when two legs describe one account in two ways.
    """
    named: dict[str, _Named] = {}
    of_entry: list[int] = []
    lines: list[int] = []
    of_account: list[int] = []
    amounts: list[int] = []
    for place, new in enumerate(entries, start=1):
        for line, leg in enumerate(new.legs, start=1):
            spec = None if isinstance(leg.account, str) else leg.account
            code = leg.account if isinstance(leg.account, str) else leg.account.code
            known = named.setdefault(code, _Named(len(named) + 1, leg.amount.currency, spec))
            known.spec = known.spec or spec
            if spec is not None and spec != known.spec:
                _refuse_account(code, "account-differs")
            of_entry.append(place)
            lines.append(line)
            of_account.append(known.place)
            amounts.append(leg.amount.minor)
    return named, (of_entry, lines, of_account, amounts)


def _refuse(outcome: str, place: int, entries: Sequence[NewEntry], codes: Sequence[str]) -> None:
    """Raises what an outcome of `ledger_post` means, unless it is a good one."""
    if outcome in ("posted", "replayed"):
        return
    if outcome in ("account-unknown", "account-differs"):
        _refuse_account(codes[place], outcome)
    entry = entries[place]
    field = f"entries.{place}"
    if outcome == "key-reused":
        raise Refused(
            "key-reused",
            f"The key {entry.key!r} is in the books with another content: use a new key.",
            field=f"{field}.key",
        )
    if outcome == "entry-unknown":
        raise NotFound(
            "entry-unknown",
            f"The journal has no entry {entry.reverses} to reverse.",
            field=f"{field}.reverses",
        )
    raise Refused(
        "entry-reversed",
        f"Entry {entry.reverses} is reversed already; an entry is taken back once.",
        field=f"{field}.reverses",
    )


# --- reading ----------------------------------------------------------------------------------


def entry(tx: Transaction, id: EntryId) -> Entry | None:
    found = entries_of(
        all_rows(tx, "select * from ledger_journal where id = %s order by line", (id,))
    )
    return found[0] if found else None


def entry_by_key(tx: Transaction, key: str) -> Entry | None:
    rows = all_rows(tx, "select * from ledger_journal where key = %s order by line", (key,))
    found = entries_of(rows)
    return found[0] if found else None


def journal(
    tx: Transaction, *, code: str | None, party: PartyId | None, limit: int, after: int
) -> Sequence[Entry]:
    rows = all_rows(
        tx,
        """
        select * from ledger_journal where number in (
            select n.number from ledger_entry n
             where n.number > %(after)s
               and (%(code)s::text is null and %(party)s::text is null
                    or exists (
                       select from ledger_leg m join ledger_account o on o.id = m.account
                        where m.entry = n.number
                          and (%(code)s::text is null or o.code = %(code)s)
                          and (%(party)s::text is null or o.party = %(party)s)))
             order by n.number limit %(limit)s)
        order by number, line""",
        {"code": code, "party": party, "limit": limit, "after": after},
    )
    return entries_of(rows)


def legs(tx: Transaction, code: str, below: int, limit: int) -> list[Entry]:
    """Entries with their legs on one account only, numbered below so many, the last first."""
    rows = all_rows(
        tx,
        """select * from ledger_journal where code = %s and sequence < %s
            order by sequence desc limit %s""",
        (code, below, limit),
    )
    return entries_of(rows)


def entries_of(rows: Sequence[dict[str, Any]]) -> list[Entry]:
    """Entries from rows of `ledger_journal` in order, one for each leg."""
    found: list[Entry] = []
    legs: list[PostedLeg] = []
    for place, row in enumerate(rows):
        if row["line"] is not None:
            legs.append(_leg(row))
        if place + 1 < len(rows) and rows[place + 1]["number"] == row["number"]:
            continue
        found.append(
            Entry(
                number=row["number"],
                id=EntryId(row["id"]),
                key=row["key"],
                request=row["request"],
                kind=row["kind"],
                ref=row["ref"],
                document=row["document"],
                words=row["words"],
                effective_at=row["effective_at"],
                posted_at=row["posted_at"],
                batch=row["batch"],
                reverses=None if row["reverses"] is None else EntryId(row["reverses"]),
                legs=tuple(legs),
            )
        )
        legs = []
    return found


def _leg(row: dict[str, Any]) -> PostedLeg:
    """A leg; its account may be missing from books that somebody tampered with."""
    currency = row["currency"] or ""
    return PostedLeg(
        account=AccountSpec(
            code=row["code"] or "?",
            kind=row["account_kind"],
            party=None if row["party"] is None else PartyId(row["party"]),
            currency=currency,
        ),
        amount=Money(row["amount"], currency),
        sequence=row["sequence"],
        balance=Money(row["balance"], currency),
    )


# --- holds ------------------------------------------------------------------------------------


def place_hold(tx: Transaction, asked: Hold) -> Hold:
    """Raises Refused `credit-limit` or `key-reused`."""
    with _write():
        row = one_row(
            tx,
            "select * from ledger_place_hold(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                asked.id,
                asked.key,
                asked.party,
                asked.amount.currency,
                asked.amount.minor,
                None if asked.limit is None else asked.limit.minor,
                asked.ref,
                asked.placed_at,
                asked.expires_at,
            ),
        )
    if row is None or row["outcome"] == "key-reused":
        raise Refused(
            "key-reused",
            f"The key {asked.key!r} holds another amount, party or ref: use a new key.",
            field="key",
        )
    if row["outcome"] == "credit-limit":
        raise Refused(
            "credit-limit",
            f"The credit limit of {asked.party} is {asked.limit}; "
            f"{Money(row['used'], asked.amount.currency)} of it is used, so {asked.amount} more "
            "goes beyond it. Settle what is open, or ask for a higher limit.",
            field="amount",
        )
    if row["outcome"] == "placed":
        return asked
    placed = hold(tx, HoldId(row["made"]))
    assert placed is not None, "a hold that was found"
    return placed


def hold(tx: Transaction, id: HoldId) -> Hold | None:
    row = one_row(tx, "select * from ledger_hold where id = %s", (id,))
    return None if row is None else _hold(row)


def holds(tx: Transaction, party: PartyId | None, state: HoldState | None) -> Sequence[Hold]:
    rows = all_rows(
        tx,
        """select * from ledger_hold
             where (%(party)s::text is null or party = %(party)s)
               and (%(state)s::text is null or state = %(state)s)
             order by placed_at, id""",
        {"party": party, "state": state},
    )
    return [_hold(row) for row in rows]


def move_hold(tx: Transaction, id: HoldId, state: HoldState, now: Instant) -> bool:
    """False when the hold is not active, or not there."""
    with _write():
        row = one_row(
            tx,
            """update ledger_hold set state = %s, moved_at = %s
                where id = %s and state = 'active' returning id""",
            (state, now, id),
        )
    return row is not None


def expire_holds(tx: Transaction, now: Instant) -> Sequence[HoldId]:
    """Leaves out those that somebody else is moving at this moment."""
    with _write():
        rows = all_rows(
            tx,
            """update ledger_hold set state = 'expired', moved_at = %(now)s
                where id in (select id from ledger_hold
                              where state = 'active' and expires_at <= %(now)s
                              order by id for update skip locked)
                returning id""",
            {"now": now},
        )
    return sorted(HoldId(row["id"]) for row in rows)


def _hold(row: dict[str, Any]) -> Hold:
    currency = row["currency"]
    limit = row["credit_limit"]
    return Hold(
        id=HoldId(row["id"]),
        key=row["key"],
        party=PartyId(row["party"]),
        amount=Money(row["amount"], currency),
        limit=None if limit is None else Money(limit, currency),
        ref=row["ref"],
        placed_at=row["placed_at"],
        expires_at=row["expires_at"],
        state=HoldState(row["state"]),
        moved_at=row["moved_at"],
    )
