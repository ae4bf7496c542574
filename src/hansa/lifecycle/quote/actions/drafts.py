"""What our own people prepare before they ask for prices, with a version after each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hansa.federation.bulk import Unquoted
from hansa.federation.contract import Need
from hansa.federation.shelf import Page
from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import BuyerKey, DraftId, Ids, PartyId, TraceId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import offers as catalogue
from hansa.lifecycle.quote import rules, store
from hansa.lifecycle.quote.model import Draft, DraftHead, KeptQuote, Wish


def begin_draft(tx: Transaction, *, head: DraftHead, by: str, ids: Ids, now: Instant) -> Draft:
    """A draft without sites. by: who makes it, as the audit log names them.

    Raises Refused `draft-invalid`, `offer-unknown`.
    """
    rules.check_head(head)
    catalogue.offer(tx, code=head.offer)
    made = Draft(ids.new(DraftId), 1, 1, head, 0, 0, by, now, by, now)
    store.add_draft(tx, made)
    return made


def draft(tx: Transaction, *, draft_id: DraftId) -> Draft:
    """Raises NotFound `draft-unknown`."""
    return _drafted(store.draft(tx, draft_id), draft_id)


def drafts(
    tx: Transaction, *, buyer: PartyId | None = None, text: str = "", offset: int = 0, limit: int
) -> Page[Draft]:
    """Drafts for one buyer or all whose title holds the text, last changed first."""
    return store.drafts(tx, buyer, text, offset, limit)


def wishes(tx: Transaction, *, draft_id: DraftId) -> Sequence[Wish]:
    """The sites of a draft, in their order; at most as many as a draft may have."""
    return store.wishes(tx, draft_id)


def hold_draft(tx: Transaction, *, draft_id: DraftId) -> Draft:
    """As it is now, and nobody changes it until this transaction ends."""
    return _drafted(store.lock_draft(tx, draft_id), draft_id)


def check_version(draft: Draft, version: int) -> None:
    """Raises Refused `draft-changed` unless this is its version."""
    if draft.version != version:
        raise Refused(
            "draft-changed",
            f"{draft.changed_by} has changed this quote at {draft.changed_at:%Y-%m-%d %H:%M} UTC, "
            "while you were looking at it. Nothing of yours is saved yet: compare, then choose.",
            field="version",
        )


def change_draft(
    tx: Transaction,
    *,
    draft_id: DraftId,
    version: int,
    by: str,
    now: Instant,
    head: DraftHead | None = None,
    wishes: Sequence[Wish] | None = None,
    anew: bool = False,
) -> Draft:
    """Changes what was looked at in that version, and nothing that somebody has changed since.

    head, wishes: what it asks for from now on; None leaves it. anew: prices are to be asked for
    again although nothing else is. Raises NotFound `draft-unknown`; Refused `draft-changed` when
    this is not its version any more, `draft-ordered`, `draft-invalid`, `draft-too-long`,
    `item-duplicate`.
    """
    found = _drafted(store.lock_draft(tx, draft_id), draft_id)
    if store.is_ordered(tx, found):
        raise Refused(
            "draft-ordered", "This quote has been ordered and stays as it is. Begin another one."
        )
    check_version(found, version)
    new = replace(found, version=version + 1, changed_by=by, changed_at=max(now, found.changed_at))
    if head is not None:
        rules.check_head(head)
        anew = anew or replace(head, title="") != replace(found.head, title="")
        new = replace(new, head=head)
    if wishes is not None:
        rules.check_wishes(wishes)
        anew = anew or tuple(wishes) != store.wishes(tx, draft_id)
        store.put_wishes(tx, draft_id, wishes)
        new = replace(new, sites=len(wishes))
    if anew:
        new = replace(new, asked=new.version, parts=0)
    store.change_draft(tx, new)
    return new


def asked_by(draft: Draft, wishes: Sequence[Wish], *, trace: TraceId) -> tuple[Need, BuyerKey, int]:
    """What a draft asks for, the key under which it is asked in bulk, and in how many parts."""
    need = rules.need(draft, wishes, trace)
    return need, BuyerKey(f"{draft.id}.{draft.asked}"), len(rules.parts(need))


def answered(
    tx: Transaction, *, buyer: PartyId, key: BuyerKey
) -> tuple[Sequence[KeptQuote], Sequence[Unquoted]] | None:
    """What has been answered so far to what was asked in bulk: the quotes, and who has none.

    None when nothing was asked under the key.
    """
    kept = store.bulk_parts(tx, buyer, key)
    if kept is None:
        return None
    parts = [kept[position] for position in sorted(kept)]
    held = [store.get(tx, quote_id) for part in parts for quote_id in part.quotes]
    return [one for one in held if one], [no for part in parts for no in part.refusals]


def _drafted(found: Draft | None, called: DraftId) -> Draft:
    if found is None:
        raise NotFound("draft-unknown", f"There is no draft {called}.", field="draft")
    return found
