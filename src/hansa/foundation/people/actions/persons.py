"""Who there is: enter, change, look up, set a password.

The door that somebody comes in by writes it into the audit log, in the same transaction: it
knows who asked for it, and why. Locks are taken in one order: tries of a login, person, proposal.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.ids import Ids, PartyId, PersonId, SessionId
from hansa.foundation.people import rules, store
from hansa.foundation.people.model import (
    Person,
    StaffRole,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

Entropy = Callable[[int], bytes]


def enter(
    tx: Transaction,
    *,
    login: str,
    name: str,
    roles: Collection[StaffRole],
    party: PartyId | None = None,
    language: str = "en",
    password: str | None = None,
    ids: Ids,
    now: Instant,
    entropy: Entropy = secrets.token_bytes,
) -> Person:
    """A new person. Without a password nobody signs in with this login until one is set.

    Raises Refused `login-invalid`, `login-taken`, `password-weak`, `person-invalid`,
    `roles-invalid`.
    """
    person = Person(
        id=ids.new(PersonId),
        login=rules.folded(login),
        name=name.strip(),
        roles=frozenset(roles),
        party=party,
        language=language,
    )
    rules.check_person(person)
    kept = None if password is None else _hash(password, person.login, entropy)
    if not store.insert_person(tx, person, kept, now):
        raise taken(person.login)
    return person


def change(
    tx: Transaction,
    *,
    person: PersonId,
    name: str | None = None,
    roles: Collection[StaffRole] | None = None,
    language: str | None = None,
    active: bool | None = None,
    now: Instant,
) -> Person:
    """Changes what is given. Other roles, or to be off, end every session of the person.

    Raises NotFound `person-unknown`; Refused `person-invalid`, `roles-invalid`.
    """
    found = known(store.lock(tx, person), person)
    changed = replace(
        found,
        name=found.name if name is None else name.strip(),
        roles=found.roles if roles is None else frozenset(roles),
        language=found.language if language is None else language,
        active=found.active if active is None else active,
    )
    if roles is not None or changed.roles:
        rules.check_person(changed)
    write(tx, found, changed, now)
    return changed


def set_password(
    tx: Transaction,
    *,
    person: PersonId,
    password: str,
    besides: SessionId | None = None,
    now: Instant,
    entropy: Entropy = secrets.token_bytes,
) -> None:
    """From now on the person signs in with this password, at once even after too many wrong ones.

    Ends every session of the person; besides: the one in which it was changed goes on. Raises
    NotFound `person-unknown`; Refused `password-weak`.
    """
    login = known(store.person(tx, person), person).login
    kept = _hash(password, login, entropy)
    store.lock_tries(tx, [(login, "")], now)
    store.forget_tries(tx, login)
    known(store.lock(tx, person), person)
    store.set_password(tx, person, kept)
    store.end_sessions(tx, person, besides, now)


def new_password(entropy: Entropy = secrets.token_bytes) -> str:
    """A password of 120 random bits that can be read to somebody: `k5xw-…`, in groups of four."""
    text = b32encode(entropy(15)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def people(tx: Transaction) -> Sequence[Person]:
    """Everyone who was ever entered, by login."""
    return store.people(tx)


def get(tx: Transaction, *, person: PersonId) -> Person:
    """Raises NotFound `person-unknown`."""
    return known(store.person(tx, person), person)


def find(tx: Transaction, *, login: str) -> Person:
    """The person with this login. Raises NotFound `person-unknown`."""
    return known(store.find(tx, rules.folded(login)), login)


def known(found: Person | None, called: str) -> Person:
    """What was found. Raises NotFound `person-unknown` for nothing."""
    if found is None:
        raise NotFound("person-unknown", f"There is no person {called}; list them.", field="person")
    return found


def taken(login: str) -> Refused:
    """The answer to who wants a login that is somebody's."""
    return Refused(
        "login-taken",
        f"There is a person {login} already, perhaps one who is off. A login is one person's for "
        "ever: choose another.",
        field="login",
    )


def _hash(password: str, login: str, entropy: Entropy) -> str:
    rules.check_password(password, login)
    return rules.hashed(password, entropy(rules.SALT_OCTETS))


def write(tx: Transaction, found: Person, changed: Person, now: Instant) -> None:
    """Writes what changed of a locked person, whose sessions end when it may do other things."""
    if changed == found:
        return
    store.update_person(tx, changed)
    if (changed.roles, changed.party) != (found.roles, found.party) or not changed.active:
        store.end_sessions(tx, found.id, None, now)
