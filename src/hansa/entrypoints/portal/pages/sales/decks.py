"""Price lists of calls by dial code: their versions, what one changes, and publishing it."""

from __future__ import annotations

from decimal import Decimal

from starlette.responses import Response

from hansa.entrypoints.portal.ask import Ask, change, page
from hansa.entrypoints.portal.duties import propose
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.sales import publishing
from hansa.entrypoints.portal.pages.sales.buyers import LOOKERS
from hansa.foundation.errors import HansaError, Refused
from hansa.foundation.people.actions import proposals
from hansa.foundation.people.model import ProposalState
from hansa.lifecycle.catalogue.actions import decks, imports
from hansa.lifecycle.catalogue.model import Preview

CHANGES = 50
"""How many changes of a version are shown, those that change most first."""


@page("/decks", roles=LOOKERS)
def deck_list(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        versions = decks.versions(tx)
        found = [
            (one, [version for version in versions if version.deck == one.name])
            for one in decks.decks(tx)
        ]
    return ask.render("sales/decks.html", decks=found)


@page("/decks/{name}", roles=LOOKERS)
def deck(ask: Ask) -> Response:
    """A deck with its versions; and of one of them, what it changes."""
    name = ask.path["name"]
    number = ask.number("version", 0) or None
    preview: Preview | None = None
    missing = ""
    with ask.node.begin() as tx:
        one = decks.deck(tx, name=name)
        versions = decks.versions(tx, name=name)
        if number is not None:
            decks.version(tx, name=name, number=number)
            try:
                preview = imports.preview(
                    tx, name=name, number=number, folder=ask.node.folder, now=ask.now
                )
            except HansaError as error:
                if error.code != "bulk-missing":
                    raise
                missing = error.words
        waiting = {
            proposal.content["version"]: proposal
            for proposal in proposals.proposals(
                tx, state=ProposalState.OPEN, kind=publishing.KIND, limit=200
            )
            if proposal.content.get("deck") == name
        }
    return ask.render(
        "sales/deck.html",
        one=one,
        versions=list(reversed(versions)),
        number=number,
        preview=preview,
        changes=[
            (one, _peak(one.before), _peak(one.after))
            for one in (preview.changes[:CHANGES] if preview else ())
        ],
        missing=missing,
        waiting=waiting,
    )


def _peak(rates: tuple[int, int] | None) -> Decimal | None:
    """The peak rate of a minute in major units."""
    return Decimal(rates[0]).scaleb(-9).normalize() if rates else None


@change("/decks/{name}/publish", roles=LOOKERS, again=deck)
def propose_version(ask: Ask) -> Response:
    """Puts a version before somebody who may approve it; nobody is bound by it until then."""
    name, number = ask.path["name"], ask.typed("version")
    why = ask.why(_("Say why; the approver reads it."))
    with ask.node.begin() as tx:
        chosen = decks.version(tx, name=name, number=int(number) if number.isdecimal() else -1)
        if chosen.published_at is not None:
            raise Refused("deck-published", _("This version is published already."))
        subject = f"{name}/{chosen.version}"
        made = propose(
            ask,
            tx,
            kind=publishing.KIND,
            subject=subject,
            content=publishing.of_deck(chosen),
            why=why,
        )
        ask.log(tx, "deck-proposed", subject=subject, why=why, details={"proposal": made.id})
    return ask.back(
        f"/decks/{name}", said=_("Proposed. It counts once somebody else has approved it.")
    )


pages = [deck_list, deck, propose_version]
