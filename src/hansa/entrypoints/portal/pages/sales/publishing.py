"""Prices take two: one person proposes what is to be published, another has it published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.entrypoints.portal import language
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.duties import Duty
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.people.model import Proposal
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.catalogue.actions import decks, offers
from hansa.lifecycle.catalogue.model import DeckVersion, ListPrice

KIND = "price-publishing"


def of_price(price: ListPrice, before: ListPrice | None) -> Mapping[str, Json]:
    """All that it takes to publish a list price, and what it replaces, for the checker to see."""
    return {
        "price": documents.write(price),
        "before": documents.write(before) if before else None,
    }


def of_deck(version: DeckVersion) -> Mapping[str, Json]:
    """All that it takes to publish a version of a deck; its rows are named by their content."""
    return {
        "deck": version.deck,
        "version": version.version,
        "rows": version.rows,
        "rows_sha256": version.rows_sha256,
        "file": version.said.file,
    }


def _carry_out(ask: Ask, tx: Transaction, proposal: Proposal) -> None:
    content = proposal.content
    if "deck" in content:
        decks.publish(
            tx,
            name=content["deck"],
            number=content["version"],
            by=ask.me.login,
            now=ask.now,
        )
    else:
        offers.put_price(tx, price=documents.read(ListPrice, content["price"]))


def _href(proposal: Proposal) -> str:
    content = proposal.content
    if "deck" in content:
        return f"/decks/{content['deck']}"
    return f"/catalogue/{content['price']['offer']}"


def _facts(proposal: Proposal) -> Sequence[tuple[str, str]]:
    content = proposal.content
    if "deck" in content:
        return [
            (N_("Deck"), content["deck"]),
            (N_("Version"), str(content["version"])),
            (N_("Price rows"), language.number(content["rows"])),
            (N_("File"), content["file"]),
        ]
    new = documents.read(ListPrice, content["price"])
    old = documents.read(ListPrice, content["before"]) if content["before"] else None
    return [
        (N_("Price list"), new.price_list),
        (N_("Offer"), new.offer),
        (N_("Valid from"), language.moment(new.valid_from)),
        (N_("New price"), _said(new)),
        (N_("Price until then"), _said(old) if old else "-"),
    ]


def _said(price: ListPrice) -> str:
    """One price in a line: amounts with their currency, then what is added for each unit."""
    amounts = [
        (language.gettext("one-off"), price.one_off),
        (language.gettext("a month"), price.monthly),
        *((language.gettext("for each %(unit)s", unit=name), rate)
          for name, rate in price.monthly_per.items()),
        (language.gettext("when cancelled"), price.cancellation),
    ]  # fmt: skip
    parts = [
        f"{language.number(amount)} {price.currency} {words}" for words, amount in amounts if amount
    ]
    if price.margin_bp is not None:
        share = language.number(price.margin_bp, 0)
        parts.append(language.gettext("suppliers' prices with %(bp)s basis points", bp=share))
    return "; ".join(parts)


DUTY = Duty(
    kind=KIND,
    label=N_("Publish prices"),
    carry_out=_carry_out,
    href=_href,
    facts=_facts,
)
