"""What an operator's own file says, put into its node."""

from __future__ import annotations

from hansa.drivers import actions as network
from hansa.entrypoints.demo.model import Operator
from hansa.foundation.errors import Refused
from hansa.foundation.party import Party
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from hansa.lifecycle.agreement import actions as agreement
from hansa.lifecycle.catalogue import actions as catalogue


def put(tx: Transaction, *, us: Party, operator: Operator, now: Instant) -> None:
    """Enters all that the file lists; what is there already stays, and the same again changes
    nothing.

    Raises Refused `file-of-another` when the file is not about us, and whatever a single
    entry is refused for; all of the file is entered or nothing of it.
    """
    if operator.party.id != us.id:
        raise Refused(
            "file-of-another",
            f"The file is about {operator.party.id}, and this node is {us.id}'s.",
            field="party.id",
        )
    network.set_products(tx, products=operator.products)
    network.cover(tx, entries=operator.coverage)
    for offer in operator.offers:
        catalogue.put_offer(tx, offer=offer)
    for price in operator.prices:
        catalogue.put_price(tx, price=price)
    for rule in operator.taxes:
        catalogue.put_tax_rule(tx, rule=rule)
    for entry in operator.customers:
        agreement.register_customer(
            tx,
            party=entry.party,
            price_list=entry.price_list,
            credit_limit=entry.credit_limit,
            now=now,
        )
