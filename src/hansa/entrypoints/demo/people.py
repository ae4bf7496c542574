"""Who can sign in at the portals of a demonstration that is kept running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hansa.entrypoints.demo.stage import Stage
from hansa.entrypoints.operator_files import Operator
from hansa.foundation.ids import PartyId
from hansa.foundation.people.actions import audit, persons
from hansa.foundation.people.model import StaffRole
from hansa.node import Node

BY = "console:demo"

ROLES: Mapping[str, frozenset[StaffRole]] = {
    "staff": frozenset({StaffRole.SALES, StaffRole.OPERATIONS, StaffRole.FINANCE}),
    "checker": frozenset({StaffRole.FINANCE, StaffRole.APPROVER}),
    "admin": frozenset({StaffRole.ADMIN}),
}
LOGINS: Mapping[str, str] = {
    "staff": "sales, operations and finance",
    "checker": "approves what staff proposes",
    "admin": "who may do what, and who did what",
}


def welcome(stage: Stage, operators: Sequence[Operator]) -> str:
    """Enters staff of each operator, and somebody of each customer; returns the password of all,
    made anew for each demonstration.
    """
    password = persons.new_password()
    for operator in operators:
        _welcome(stage.nodes[operator.party.id], operator, password)
    return password


def _welcome(node: Node, operator: Operator, password: str) -> None:
    wanted: list[tuple[str, str, frozenset[StaffRole], PartyId | None]] = [
        (login, login.title(), roles, None) for login, roles in ROLES.items()
    ]
    for one in operator.customers:
        party = one.party
        wanted.append((party.id, party.name, frozenset({StaffRole.CUSTOMER}), party.id))
    for login, name, roles, customer in wanted:
        with node.begin() as tx:
            persons.enter(
                tx,
                login=login,
                name=name,
                roles=roles,
                party=customer,
                language=node.settings.portal.brand.language,
                password=password,
                ids=node.ids,
                now=node.clock.now(),
            )
            audit.record(tx, by=BY, action="person-entered", subject=login, now=node.clock.now())
