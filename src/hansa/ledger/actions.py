"""What others may ask or do in the books.

Posting is serial: the first entry of a transaction, or the first account that it opens, takes
the end of the chain and keeps it until the commit. So post late, and what belongs together in
one call; place and move holds before posting. Where two callers lock each other out all the
same, PostgreSQL ends one of them, and its call raises TryLater `ledger-busy`.
"""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation.errors import NotFound
from hansa.foundation.ids import EntryId, HoldId, PartyId
from hansa.foundation.money import Money
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.ledger import rules
from hansa.ledger.model import (
    HOLD_STATES,
    Account,
    AccountKind,
    AccountSpec,
    Entry,
    Head,
    Hold,
    HoldState,
    Leg,
    NewEntry,
    Turnover,
    Verification,
)
from hansa.ledger.store import books as store
from hansa.ledger.store import chain as links
from hansa.ledger.store import figures


def account(
    tx: Transaction, *, code: str, kind: AccountKind, party: PartyId | None, currency: str
) -> Account:
    """The account of this code, opened now if there is none yet.

    Raises Refused: `account-code` (malformed, or the currency is not its last part),
    `account-differs` (open already with another kind, party or currency).
    """
    spec = AccountSpec(code=code, kind=kind, party=party, currency=currency)
    rules.check_account(spec)
    store.open_account(tx, spec)
    return _account(tx, code)


def post(tx: Transaction, *, entries: Sequence[NewEntry], now: Instant) -> Sequence[EntryId | None]:
    """Posts all of the entries or none, as one batch of the chain; in order of the entries,
    the id of each one posted, None for each whose key is in the books with the same content.

    An entry's content is all of it but its id. Accounts that a leg describes are opened.
    Raises Refused, with nothing posted and the transaction still usable: `entry-incomplete`,
    `entry-legs`, `leg-zero`, `currency-mixed`, `entry-unbalanced`, `amount-too-large`,
    `document-missing`, `account-code`, `account-differs`, `key-reused`, `entry-reversed`;
    NotFound `account-unknown`, `entry-unknown`.
    """
    rules.check_entries(entries)
    if not entries:
        return ()
    return store.post(tx, entries, [rules.request(entry) for entry in entries], now)


def reverse(
    tx: Transaction, *, entry: EntryId, id: EntryId, key: str, now: Instant, words: str
) -> EntryId | None:
    """Takes back an entry by a new one with the opposite legs, which names the first.

    The new entry cites the same paper, takes effect now, and is never itself changed; this is
    the only way to correct the books. An entry is taken back once. None when this key has
    already done it. Raises NotFound `entry-unknown`; Refused `entry-reversed`, `key-reused`.
    """
    wrong = get(tx, entry=entry)
    before = store.entry_by_key(tx, key)
    opposite = NewEntry(
        id=id,
        key=key,
        kind="reversal",
        ref=wrong.ref,
        document=wrong.document,
        words=words,
        effective_at=before.effective_at if before is not None else now,
        legs=tuple(Leg(leg.account, -leg.amount) for leg in wrong.legs),
        reverses=wrong.id,
    )
    return post(tx, entries=[opposite], now=now)[0]


def get(tx: Transaction, *, entry: EntryId) -> Entry:
    """One entry of the journal. Raises NotFound `entry-unknown`."""
    found = store.entry(tx, entry)
    if found is None:
        raise NotFound("entry-unknown", f"The journal has no entry {entry}.", field="entry")
    return found


def get_by_key(tx: Transaction, *, key: str) -> Entry | None:
    """The entry that was posted under this idempotency key, if there is one."""
    return store.entry_by_key(tx, key)


def get_account(tx: Transaction, *, code: str) -> Account:
    """One account with its balance. Raises NotFound `account-unknown`."""
    return _account(tx, code)


def balance(tx: Transaction, *, code: str) -> Money:
    """The balance of one account: debits positive. Raises NotFound `account-unknown`."""
    return _account(tx, code).balance


def balances(tx: Transaction, *, party: PartyId | None = None) -> Sequence[Account]:
    """Every account with its balance, in order of code; of one party if one is given."""
    return store.accounts(tx, party)


def page(
    tx: Transaction,
    *,
    text: str = "",
    kind: AccountKind | None = None,
    currency: str | None = None,
    offset: int = 0,
    limit: int,
) -> tuple[Sequence[Account], int]:
    """Accounts in order of code, and how many there are. text: a part of the code."""
    wanted = {"text": text, "kind": kind, "currency": currency, "offset": offset, "limit": limit}
    return store.page(tx, wanted)


def sums(tx: Transaction) -> Sequence[tuple[AccountKind, Money]]:
    """All balances added up by kind of account and currency; those of a currency come to zero."""
    return [(kind, Money(minor, currency)) for kind, currency, minor in store.sums(tx)]


def legs(tx: Transaction, *, code: str, below: int, limit: int) -> Sequence[Entry]:
    """What moved an account, the last first: entries with their legs on it alone.

    below: only legs with a lower number on the account, which `PostedLeg.sequence` says.
    """
    return store.legs(tx, code, below, limit)


def journal(
    tx: Transaction,
    *,
    code: str | None = None,
    party: PartyId | None = None,
    limit: int = 100,
    after: int = 0,
) -> Sequence[Entry]:
    """Entries in the order of posting whose number is greater than `after`, at most `limit`.

    code, party: only entries with a leg on that account, or on an account with that party.
    """
    return store.journal(tx, code=code, party=party, limit=limit, after=after)


def exposure(tx: Transaction, *, party: PartyId, currency: str) -> Money:
    """What a party may cost us: balances of its asset accounts, and active holds."""
    return store.exposure(tx, party, currency)


def exposures(tx: Transaction, *, of: Sequence[tuple[PartyId, str]]) -> Sequence[Money]:
    """As exposure, for several parties and currencies at once, in the same order."""
    return figures.exposures(tx, of)


def turnover(tx: Transaction, *, kind: AccountKind, since: Instant) -> Sequence[Turnover]:
    """What moved each account of a kind, month by month; in order of month and code."""
    return figures.turnover(tx, kind, since)


def together(tx: Transaction, *, heads: Sequence[str]) -> Sequence[tuple[str, Money]]:
    """The balances of all accounts whose codes begin with one of these parts, such as
    `receivable`, added up by it and by currency.
    """
    return figures.together(tx, heads)


def head(tx: Transaction) -> Head:
    """The end of the chain, to be told to a counterparty and compared later."""
    return links.head(tx)


def verify(tx: Transaction, *, known: Sequence[Head] = ()) -> Verification:
    """Recomputes the whole chain, every entry, number and balance from what is stored.

    known: heads that a counterparty was told earlier; the chain must lead through each of
    them, so that not even one who rewrites all of it stays unseen. Reads everything, a few
    thousand entries at a time. Stops at the first fault and names it.
    """
    walk = rules.Walk(known)
    for batch in links.chain(tx):
        fault = walk.step(batch)
        if fault is not None:
            return walk.result(fault)
    return walk.result(walk.end(links.stray(tx)))


def hold(
    tx: Transaction,
    *,
    id: HoldId,
    key: str,
    party: PartyId,
    amount: Money,
    limit: Money | None,
    ref: str,
    expires_at: Instant | None,
    now: Instant,
) -> Hold:
    """Keeps a part of a party's credit: it counts as exposure until it is posted, voided or
    expired. Two at once for one party and currency are placed one after the other.

    limit: what the exposure may come to with this hold, None for no limit. The same key again
    gives the hold that it made, as that stands now; its party, amount and ref must be the
    same, its first limit and expiry stay. Raises Refused, with the transaction still usable:
    `credit-limit`, `key-reused`, `hold-amount`, `hold-incomplete`, `hold-expired`,
    `currency-mixed`.
    """
    asked = Hold(
        id=id,
        key=key,
        party=party,
        amount=amount,
        limit=limit,
        ref=ref,
        placed_at=now,
        expires_at=expires_at,
        state=HoldState.ACTIVE,
        moved_at=None,
    )
    rules.check_hold(asked)
    return store.place_hold(tx, asked)


def post_hold(tx: Transaction, *, id: HoldId, now: Instant) -> Hold:
    """Ends a hold because what it was for is in the books; a posted one stays as it is.

    Raises NotFound `hold-unknown`, Refused `state-move` when it was voided or expired.
    """
    return _move(tx, id, HoldState.POSTED, now)


def void_hold(tx: Transaction, *, id: HoldId, now: Instant) -> Hold:
    """Ends a hold because what it was for will not come; a voided one stays as it is.

    Raises NotFound `hold-unknown`, Refused `state-move` when it was posted or expired.
    """
    return _move(tx, id, HoldState.VOIDED, now)


def expire_holds(tx: Transaction, *, now: Instant) -> Sequence[HoldId]:
    """Ends every active hold whose time has run out, and says which."""
    return store.expire_holds(tx, now)


def get_hold(tx: Transaction, *, id: HoldId) -> Hold:
    """One hold. Raises NotFound `hold-unknown`."""
    found = store.hold(tx, id)
    if found is None:
        raise NotFound("hold-unknown", f"There is no hold {id}.", field="hold")
    return found


def holds(
    tx: Transaction, *, party: PartyId | None = None, state: HoldState | None = None
) -> Sequence[Hold]:
    """Holds in the order in which they were placed."""
    return store.holds(tx, party, state)


def _account(tx: Transaction, code: str) -> Account:
    found = store.account(tx, code)
    if found is None:
        raise NotFound(
            "account-unknown", f"There is no account {code!r} in these books.", field="account"
        )
    return found


def _move(tx: Transaction, id: HoldId, state: HoldState, now: Instant) -> Hold:
    if not store.move_hold(tx, id, state, now):
        stands = get_hold(tx, id=id)
        if stands.state is not state:
            HOLD_STATES.check(stands.state, state)
    return get_hold(tx, id=id)
