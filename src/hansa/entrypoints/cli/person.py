"""`hansa person`: who signs in to the portal, and what they may do there."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import DEFAULT_NODE, AsJson, NodeDir, Why, group, opened
from hansa.foundation.errors import Refused

if TYPE_CHECKING:
    from hansa.foundation.documents import Json
    from hansa.foundation.ids import PartyId
    from hansa.foundation.people.model import Person, StaffRole
    from hansa.foundation.transaction import Transaction
    from hansa.node import Node

app = group("Persons: who signs in to the portal, with which roles; sessions are ended here.")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="What the person signs in with.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        metavar="ROLE",
        help="sales, operations, finance, approver, admin or customer; repeat.",
    ),
]
Generate = Annotated[
    bool, typer.Option("--generate", help="Make a password, and print it this once.")
]


@app.command(epilog="Example: hansa person add ada --name 'Ada Lovelace' --role sales --generate")
def add(
    login: Login,
    name: Annotated[str, typer.Option(metavar="TEXT", help="How the person is called.")],
    role: Roles,
    party: Annotated[
        str, typer.Option("--for", metavar="CUSTOMER", help="The customer; with role customer.")
    ] = "",
    language: Annotated[str, typer.Option(metavar="CODE", help="As en, pt-PT, pt-BR.")] = "en",
    generate: Generate = False,
    without_password: Annotated[
        bool, typer.Option("--without-password", help="Nobody signs in until one is set.")
    ] = False,
    why: Why = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Enter a person. Its password is asked for, or read from a pipe; never an option."""
    from hansa.foundation.people.actions import persons
    from hansa.lifecycle.agreement import actions as agreement

    roles = _roles(role)
    with opened(node) as ours:
        password = None if without_password else _password(generate)
        with ours.begin() as tx:
            whose = _party(party)
            if whose is not None:
                agreement.customer(tx, party=whose)
            made = persons.enter(
                tx, login=login, name=name, roles=roles, party=whose, language=language,
                password=password, ids=ours.ids, now=ours.clock.now(),
            )  # fmt: skip
            _record(tx, ours, "person-entered", made, why, {"roles": sorted(made.roles)})
    _show(made, as_json, password if generate else None)


@app.command("list", epilog="Example: hansa person list --json")
def list_people(node: NodeDir = DEFAULT_NODE, as_json: AsJson = False) -> None:
    """List everyone who was ever entered, and how many sessions each has."""
    from hansa.foundation.people.actions import persons, sessions

    with opened(node) as ours, ours.begin() as tx:
        now = ours.clock.now()
        found = [
            (one, len(sessions.sessions(tx, person=one.id, now=now))) for one in persons.people(tx)
        ]
    if as_json:
        render.as_json([{**_plain(one), "sessions": count} for one, count in found])
        return
    render.table(
        "Persons",
        ("login", "name", "roles", "for", "language", "active", "sessions>"),
        [
            (one.login, one.name, sorted(one.roles), one.party, one.language, one.active, count)
            for one, count in found
        ],
    )


@app.command(epilog="Example: hansa person roles ada --role sales --role approver --why 'new desk'")
def roles(
    login: Login,
    role: Roles,
    why: Why = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Give a person these roles instead of those it has. Its sessions end if they are others."""
    from hansa.foundation.people.actions import persons

    wanted = _roles(role)
    with opened(node) as ours, ours.begin() as tx:
        found = persons.find(tx, login=login)
        changed = persons.change(tx, person=found.id, roles=wanted, now=ours.clock.now())
        details = {"roles": sorted(changed.roles), "before": sorted(found.roles)}
        _record(tx, ours, "person-roles", changed, why, details)
    _show(changed, as_json)


@app.command(epilog="Example: hansa person password ada --generate")
def password(
    login: Login,
    generate: Generate = False,
    why: Why = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Set a person's password: asked for, or read from a pipe. Its sessions end."""
    from hansa.foundation.people.actions import persons

    with opened(node) as ours:
        with ours.begin() as tx:
            found = persons.find(tx, login=login)
        given = _password(generate)
        with ours.begin() as tx:
            persons.set_password(tx, person=found.id, password=given, now=ours.clock.now())
            _record(tx, ours, "person-password", found, why)
    _show(found, as_json, given if generate else None)


@app.command(epilog="Example: hansa person revoke ada --why 'laptop lost'")
def revoke(
    login: Login, why: Why = "", node: NodeDir = DEFAULT_NODE, as_json: AsJson = False
) -> None:
    """End every session of a person at once. It may sign in again."""
    from hansa.foundation.people.actions import persons, sessions

    with opened(node) as ours, ours.begin() as tx:
        found = persons.find(tx, login=login)
        ended = sessions.revoke_all(tx, person=found.id, now=ours.clock.now())
        _record(tx, ours, "sessions-revoked", found, why, {"sessions": ended})
    if as_json:
        render.as_json({"login": found.login, "sessions": ended})
        return
    render.say(f"Sessions of {found.login} that were ended: {ended}")


@app.command(epilog="Example: hansa person off ada --why 'left the company'")
def off(
    login: Login,
    back: Annotated[bool, typer.Option("--back", help="Let the person sign in again.")] = False,
    why: Why = "",
    node: NodeDir = DEFAULT_NODE,
    as_json: AsJson = False,
) -> None:
    """Shut a person out at once, whatever an identity provider says. Nothing is removed."""
    from hansa.foundation.people.actions import persons

    with opened(node) as ours, ours.begin() as tx:
        found = persons.find(tx, login=login)
        changed = persons.change(tx, person=found.id, active=back, now=ours.clock.now())
        _record(tx, ours, "person-back" if back else "person-off", changed, why)
    _show(changed, as_json)


def console() -> str:
    """Who is at the command line, as the audit log has it."""
    return f"console:{getpass.getuser()}"


def _roles(names: list[str]) -> frozenset[StaffRole]:
    """Raises Refused `choice-unknown`."""
    from hansa.foundation.people.model import StaffRole

    unknown = sorted(set(names) - set(StaffRole))
    if unknown:
        raise Refused(
            "choice-unknown",
            f"{unknown[0]!r} is no role; choose of {', '.join(StaffRole)}.",
            field="role",
        )
    return frozenset(StaffRole(name) for name in names)


def _party(name: str) -> PartyId | None:
    from hansa.foundation.party import party_id

    return party_id(name) if name else None


def _password(generate: bool) -> str:
    """A new one, else what is typed twice at a terminal, else the first line that is piped in."""
    from hansa.foundation.people.actions import persons

    if generate:
        return persons.new_password()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _record(
    tx: Transaction, ours: Node, action: str, person: Person, why: str, details: Json = None
) -> None:
    from hansa.foundation.people.actions import audit

    audit.record(
        tx, by=console(), action=action, subject=person.login, why=why, details=details,
        now=ours.clock.now(),
    )  # fmt: skip


def _plain(person: Person) -> dict[str, Json]:
    return {**render.plain(person), "roles": sorted(person.roles)}


def _show(person: Person, as_json: bool, password: str | None = None) -> None:
    if as_json:
        render.as_json({**_plain(person), **({"password": password} if password else {})})
        return
    render.facts(
        f"Person {person.login}",
        {
            "name": person.name,
            "roles": sorted(person.roles),
            "for": person.party,
            "language": person.language,
            "active": person.active,
        },
    )
    if password:
        render.say(f"The password, shown this once: {password}")
