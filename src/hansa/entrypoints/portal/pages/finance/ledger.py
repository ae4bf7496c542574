"""The books: accounts, what moved them, the journal, and the proof that nobody altered it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from starlette.responses import Response

from hansa.entrypoints.papers.table import Cell
from hansa.entrypoints.portal import files, paging
from hansa.entrypoints.portal.ask import BOOKS, Ask, change, page
from hansa.entrypoints.portal.pages.finance import lists
from hansa.federation.shelf import Page
from hansa.foundation.ids import EntryId
from hansa.foundation.money import Money
from hansa.foundation.people.actions import audit
from hansa.foundation.people.model import AuditEntry
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Account, AccountKind, Entry

KINDS: Sequence[AccountKind] = get_args(AccountKind)
VERIFIED = "books-verified"
EXPORTED_AT_ONCE = 1_000


@page("/ledger", roles=BOOKS)
def accounts(ask: Ask) -> Response:
    wanted = _wanted(ask)
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found, total = ledger.page(
            tx,
            text=wanted["text"],
            kind=_kind(wanted["kind"]),
            currency=lists.currency(ask),
            offset=turn.offset,
            limit=turn.size,
        )
        sums = ledger.sums(tx)
        head = ledger.head(tx)
        last = audit.trail(tx, action=VERIFIED, limit=1)
    return ask.render(
        "finance/ledger.html",
        part="finance/_accounts.html",
        accounts=found,
        wanted=wanted,
        kinds=lists.options(KINDS),
        trial=_trial(sums),
        head=head,
        verified=_told(last[0]) if last else None,
        turn=turn,
        total=total,
    )


def _wanted(ask: Ask) -> dict[str, str]:
    return {name: ask.query.get(name, "").strip() for name in ("text", "kind", "currency")}


def _kind(text: str) -> AccountKind | None:
    return next((kind for kind in KINDS if kind == text), None)


def _trial(sums: Sequence[tuple[AccountKind, Money]]) -> Sequence[Mapping[str, object]]:
    """For each currency the sum of each kind, and that of all, which is nothing."""
    found: dict[str, dict[str, Money]] = {}
    for kind, amount in sums:
        found.setdefault(amount.currency, {})[kind] = amount
    return [
        {
            "currency": currency,
            "kinds": [by_kind.get(kind, Money.zero(currency)) for kind in KINDS],
            "all": Money(sum(one.minor for one in by_kind.values()), currency),
        }
        for currency, by_kind in found.items()
    ]


@page("/ledger/account", roles=BOOKS)
def account(ask: Ask) -> Response:
    """One account, `?code=`: its legs, the newest first."""
    code = ask.query.get("code", "")
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = ledger.get_account(tx, code=code)
        legs = ledger.legs(tx, code=code, below=found.legs - turn.offset + 1, limit=turn.size)
    return ask.render(
        "finance/account.html",
        part="finance/_legs.html",
        account=found,
        entries=legs,
        turn=turn,
        total=found.legs,
    )


@page("/ledger/account.csv", roles=BOOKS)
def account_csv(ask: Ask) -> Response:
    code = ask.query.get("code", "")
    with ask.node.begin() as tx:
        found = ledger.get_account(tx, code=code)

    def rows() -> Iterator[Sequence[Cell]]:
        below = found.legs + 1
        while below > 1:
            with ask.node.begin() as tx:
                some = ledger.legs(tx, code=code, below=below, limit=EXPORTED_AT_ONCE)
            for entry in some:
                for leg in entry.legs:
                    yield (leg.sequence, *_of(entry), leg.account.currency, leg.amount, leg.balance)
                    below = leg.sequence

    head = ("leg", *HEADINGS, "currency", "amount", "balance")
    return files.as_csv(code.replace("/", "-"), head, rows())


@page("/ledger/accounts.csv", roles=BOOKS)
def accounts_csv(ask: Ask) -> Response:
    """All accounts that the filter leaves, with their balances."""
    wanted = _wanted(ask)
    currency = lists.currency(ask)

    def some(tx: Transaction, offset: int, limit: int) -> Page[Account]:
        found = ledger.page(
            tx,
            text=wanted["text"],
            kind=_kind(wanted["kind"]),
            currency=currency,
            offset=offset,
            limit=limit,
        )
        return Page(*found)

    head = ("account", "kind", "party", "currency", "balance", "legs")
    rows = (
        (one.code, one.kind, one.party or "", one.balance.currency, one.balance, one.legs)
        for one in lists.every(ask.node, some)
    )
    return files.as_csv("accounts", head, rows)


# --- the journal ----------------------------------------------------------------------------------

HEADINGS = ("entry", "effective", "posted", "kind", "paper", "words")


def _of(entry: Entry) -> Sequence[Cell]:
    return (
        entry.number,
        entry.effective_at.isoformat(),
        entry.posted_at.isoformat(),
        entry.kind,
        entry.ref,
        entry.words,
    )


@page("/ledger/journal", roles=BOOKS)
def journal(ask: Ask) -> Response:
    """Entries, the newest first; `?number=` shows the page on which an entry is."""
    number, turn = ask.number("number", 0), paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        head = ledger.head(tx)
        offset = head.entries - number if 0 < number <= head.entries else turn.offset
        top = head.entries - offset
        after = max(0, top - turn.size)
        found = ledger.journal(tx, after=after, limit=max(0, top - after)) if top > 0 else []
    return ask.render(
        "finance/journal.html",
        part="finance/_journal.html",
        entries=list(reversed(found)),
        head=head,
        number=number,
        turn=turn,
        total=head.entries,
    )


@page("/ledger/journal.csv", roles=BOOKS)
def journal_csv(ask: Ask) -> Response:
    """The whole journal, a row for each leg."""

    def rows() -> Iterator[Sequence[Cell]]:
        after, more = 0, True
        while more:
            with ask.node.begin() as tx:
                some = ledger.journal(tx, after=after, limit=EXPORTED_AT_ONCE)
            more = len(some) == EXPORTED_AT_ONCE
            for entry in some:
                after = entry.number
                for leg in entry.legs:
                    amount = leg.amount
                    yield (*_of(entry), leg.account.code, amount.currency, amount, leg.balance)

    return files.as_csv("journal", (*HEADINGS, "account", "currency", "amount", "balance"), rows())


@page("/ledger/entries/{id}", roles=BOOKS)
def entry(ask: Ask) -> Response:
    """One entry with its legs, and the paper that it books."""
    with ask.node.begin() as tx:
        found = ledger.get(tx, entry=EntryId(ask.path["id"]))
    return ask.render("finance/entry.html", entry=found, paper=paper_of(found))


def paper_of(entry: Entry) -> str:
    """The address of what an entry books, as its key says; empty where there is no page."""
    match entry.key.split("/"):
        case ["bill" | "paid", bill]:
            return f"/invoices/{bill}"
        case ["supplier-invoice", issuer, bill]:
            return f"/invoices/received/{issuer}/{bill}"
        case ["netting", period, *_]:
            return f"/netting?month={period}"
        case ["clearing", round]:
            return f"/netting/rounds/{round}"
        case _:
            return ""


# --- the proof ------------------------------------------------------------------------------------


@change("/ledger/verify", roles=BOOKS)
def verify(ask: Ask) -> Response:
    """Computes the whole chain anew from what is stored, and says what came of it."""
    start = time.monotonic_ns()
    with ask.node.begin() as tx:
        found = ledger.verify(tx)
        head = ledger.head(tx)
        took_ms = (time.monotonic_ns() - start) // 1_000_000
        told = {
            "ok": found.ok,
            "batches": found.batches,
            "entries": head.entries,
            "head": found.head,
            "took_ms": took_ms,
            "fault": found.fault.words if found.fault else "",
            "fault_batch": found.fault.batch if found.fault else 0,
            "fault_entry": found.fault.entry or "" if found.fault else "",
        }
        ask.log(tx, VERIFIED, subject=found.head, details=told)
    return ask.back("/ledger/chain")


@page("/ledger/chain", roles=BOOKS)
def chain(ask: Ask) -> Response:
    """What the last walks along the chain found."""
    with ask.node.begin() as tx:
        head = ledger.head(tx)
        walks = audit.trail(tx, action=VERIFIED, limit=10)
    return ask.render("finance/chain.html", head=head, walks=[_told(one) for one in walks])


def _told(entry: AuditEntry) -> Mapping[str, object]:
    details = entry.details if isinstance(entry.details, Mapping) else {}
    return {"at": entry.at, "by": entry.who, **details}


pages = [
    accounts, accounts_csv, account, account_csv, journal, journal_csv, entry, verify, chain,
]  # fmt: skip
