"""Statements between partners: their lines, where the two sides differ, and what is done of it."""

from __future__ import annotations

from starlette.responses import Response

from hansa.entrypoints.portal import paging
from hansa.entrypoints.portal.ask import BOOKS, FINANCE, Ask, change, nothing_here, page
from hansa.entrypoints.portal.duties import propose, proposed
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.finance import correcting, downloads, lines, lists
from hansa.entrypoints.portal.pages.finance.confirming import CONFIRMATION, content
from hansa.federation.papers import StatementState
from hansa.foundation.ids import StatementId
from hansa.foundation.transaction import Transaction
from hansa.ledger import actions as ledger
from hansa.ledger.model import Entry
from hansa.lifecycle.settlement.actions import looking
from hansa.lifecycle.settlement.actions import statements as actions
from hansa.lifecycle.settlement.model import Held, StatementFilter

FIELDS = ("party", "month", "state", "currency", "direction")
DIRECTIONS = ("issued", "heard")


@page("/statements", roles=BOOKS)
def statements(ask: Ask) -> Response:
    """What we have stated to partners and they to us; the newest first."""
    state, direction = ask.query.get("state", ""), ask.query.get("direction", "")
    wanted = StatementFilter(
        party=lists.party(ask),
        period=lists.month(ask),
        state=StatementState(state) if state in set(StatementState) else None,
        currency=lists.currency(ask),
        direction="issued" if direction == "issued" else "heard" if direction else None,
    )
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        found = looking.page(tx, wanted=wanted, offset=turn.offset, limit=turn.size)
    us = ask.node.us.id
    return ask.render(
        "finance/statements.html",
        part="finance/_statements.html",
        statements=[(one, one.partner(us)) for one in found.things],
        correctable=[
            one.id for one in found.things if ask.has(FINANCE) and actions.correctable(one)
        ],
        wanted={name: ask.query.get(name, "") for name in FIELDS},
        states=lists.options(StatementState),
        directions=lists.options(DIRECTIONS),
        turn=turn,
        total=found.total,
    )


@page("/statements/{id}", roles=BOOKS)
def statement(ask: Ask) -> Response:
    """One statement with its lines, some at a time, and where we differ."""
    id = StatementId(ask.path["id"])
    turn = paging.turn(ask, lists.PAGE)
    with ask.node.begin() as tx:
        held = looking.bare(tx, statement=id)
        found = looking.lines(tx, statement=id, offset=turn.offset, limit=turn.size)
        entry = posting(tx, ask, held)
        kind = CONFIRMATION if held.direction == "heard" else correcting.KIND
        waiting = proposed(tx, kind=kind, subject=id)
        after = correcting.follower(tx, held)
    accepted = {one.difference: one for one in held.resolutions}
    return ask.render(
        "finance/statement.html",
        part="finance/_lines.html",
        held=held,
        partner=held.partner(ask.node.us.id),
        differences=[
            (one, accepted.get(one)) for one in held.differences[: correcting.DIFFERENCES]
        ],
        differing=len(held.differences),
        entry=entry,
        waiting=waiting,
        may_answer=held.direction == "heard"
        and held.state in (StatementState.ISSUED, StatementState.DISPUTED),
        may_correct=actions.correctable(held) and ask.has(FINANCE),
        after=after,
        lines=found.things,
        base=f"/statements/{id}",
        first=turn.offset + 1,
        turn=turn,
        total=found.total,
    )


def posting(tx: Transaction, ask: Ask, held: Held) -> Entry | None:
    """The entry that books what the statement has become, once it is invoiced."""
    if held.state is not StatementState.INVOICED:
        return None
    creditor = held.statement.creditor
    ours = creditor == ask.node.us.id
    key = f"bill/{held.bill}" if ours else f"supplier-invoice/{creditor}/{held.bill}"
    return ledger.get_by_key(tx, key=key)


def _place(ask: Ask, tx: Transaction) -> lines.Place:
    id, number = StatementId(ask.path["id"]), lines.number(ask)
    held = looking.bare(tx, statement=id)
    return lines.Place(
        line=lines.only(looking.lines(tx, statement=id, offset=number - 1, limit=1)),
        number=number,
        seller=held.statement.creditor,
        period=held.statement.period,
        paper=f"/statements/{id}",
        title=held.number or id,
        entry=posting(tx, ask, held),
        wrong=f"/disputes/new?statement={id}&line={number}"
        if held.state is StatementState.INVOICED and held.statement.kind_of != "credit-note"
        else "",
    )


@page("/statements/{id}/lines/{number}", roles=BOOKS)
def line(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        return lines.shown(ask, tx, _place(ask, tx))


@page("/statements/{id}/lines/{number}/calls", roles=BOOKS)
def calls(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        return lines.calls(ask, tx, _place(ask, tx))


@page("/statements/{id}/as/{kind}", roles=BOOKS)
def download(ask: Ask) -> Response:
    return downloads.statement(ask, StatementId(ask.path["id"]), ask.path["kind"])


# --- answering ------------------------------------------------------------------------------------


@change("/statements/{id}/compare", roles=FINANCE, again=statement)
def compare(ask: Ask) -> Response:
    """Lays our own computation beside it once more; nothing is answered yet."""
    id = StatementId(ask.path["id"])
    with ask.change("statement-compared", subject=id) as tx:
        held = actions.compare(tx, us=ask.node.us, statement=id, now=ask.now)
    said = _("Nothing differs.") if not held.differences else _("The lines that differ are below.")
    return ask.back(f"/statements/{id}", said=said)


@change("/statements/{id}/accept", roles=FINANCE, again=statement)
def accept(ask: Ask) -> Response:
    """Accepts the partner's figure on one line that differs."""
    id = StatementId(ask.path["id"])
    why, key = ask.typed("why").strip(), ask.typed("key")
    with ask.change("difference-accepted", subject=id, why=why, details={"line": key}) as tx:
        actions.resolve(tx, statement=id, key=key, by=ask.me.login, why=why, now=ask.now)
    return ask.back(f"/statements/{id}", said=_("The partner's figure is accepted on this line."))


@change("/statements/{id}/tell", roles=FINANCE, again=statement)
def tell(ask: Ask) -> Response:
    """Tells the partner on which lines its statement differs from our computation."""
    id = StatementId(ask.path["id"])
    with ask.change("statement-disputed", subject=id) as tx:
        actions.dispute(tx, us=ask.node.us, statement=id, ids=ask.node.ids, now=ask.now)
    return ask.back(f"/statements/{id}", said=_("The partner is told where we differ."))


@change("/statements/{id}/confirm", roles=FINANCE, again=statement)
def confirm(ask: Ask) -> Response:
    """Proposes that it be confirmed: another person looks at it, and signs."""
    id = StatementId(ask.path["id"])
    why = ask.typed("why").strip()
    with ask.change("confirmation-proposed", subject=id, why=why) as tx:
        held = looking.bare(tx, statement=id)
        if held.direction != "heard":
            raise nothing_here()
        one = propose(
            ask,
            tx,
            kind=CONFIRMATION,
            subject=id,
            content=content(held, us=ask.node.us.id),
            why=why,
        )
    return ask.back(f"/approvals/{one.id}", said=_("Another person can approve it now."))


pages = [statements, statement, line, calls, download, compare, accept, tell, confirm]
