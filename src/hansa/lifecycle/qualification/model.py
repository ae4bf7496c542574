"""A need made ready to be sourced, and the sources that were found."""

from __future__ import annotations

from dataclasses import dataclass

from hansa.federation.contract import AgreementRef, NeedItem, Tax
from hansa.foundation.ids import PartyId
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, ListPrice
from hansa.lifecycle.inventory.model import Holding


@dataclass(frozen=True, slots=True)
class Ask:
    """One part of an item as one seller would be asked for it.

    item.id is `<our item>.<component>`: unique in our need to that seller, and the name by
    which what we then hold is known to be that component. currency: what we pay there.
    """

    seller: PartyId
    currency: str
    agreement: AgreementRef | None
    item: NeedItem


@dataclass(frozen=True, slots=True)
class Part:
    """A component of an item and everyone who may be asked for it, the preferred one first."""

    component: Component
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An item that this buyer may order, with what pricing it takes.

    item: with default characteristics filled in. agreement: None for an end customer.
    holding: what it changes, None for something new.
    """

    item: NeedItem
    offer: CatalogueOffer
    price: ListPrice
    tax: Tax
    agreement: AgreementRef | None
    holding: Holding | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """The seller that one part is to be had from."""

    item: str
    component: Component
    ask: Ask
