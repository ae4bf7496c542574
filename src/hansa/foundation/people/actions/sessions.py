"""Who comes in, for how long, and what they had typed when their time was over.

Signing in and out writes its own line into the audit log.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta

from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.ids import Ids, PartyId, PersonId, SessionId
from hansa.foundation.people import rules, store
from hansa.foundation.people.actions import audit, persons
from hansa.foundation.people.model import (
    BROWSER_EACH,
    BROWSER_KEPT,
    IDLE,
    LIFETIME,
    PARKED_EACH,
    PARKED_KEPT,
    PARKED_MAX,
    SEEN_EVERY,
    SESSION_KEPT,
    Denied,
    Expired,
    Identity,
    Parked,
    Person,
    Seen,
    Session,
    SignedIn,
    StaffRole,
    Tries,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

Entropy = Callable[[int], bytes]

WITHIN = "within"
"""From where somebody comes who is signed in already."""


def sign_in(
    tx: Transaction,
    *,
    login: str,
    password: str,
    address: str,
    known: str = "",
    agent: str,
    ids: Ids,
    now: Instant,
    lifetime: timedelta = LIFETIME,
    entropy: Entropy = secrets.token_bytes,
) -> SignedIn | Denied:
    """A new session for who knows the password. agent: the browser, as it calls itself.

    address: from where it comes, IPv4 or IPv6. known: what the browser was given when somebody
    signed in with it before. Denied with Refused `sign-in-refused`, the same for a wrong password,
    a login that nobody has, and a person who is off; or with TryLater `sign-in-waits` after too
    many wrong ones: of this login from this address, of any login from it, or of this login from
    everywhere. A browser that the person has signed in with is counted by itself alone, so nobody
    else has it wait. Commit, then raise its error: the wrong one has to be counted.
    """
    login, place = rules.folded(login), rules.place(address)
    was_known = bool(known) and store.is_known(tx, _token_hash(known), login, now - BROWSER_KEPT)
    if was_known:
        series = [(login, f"browser:{_token_hash(known).hex()}")]
    elif rules.is_login(login):
        series = [("", place), (login, ""), (login, place)]
    else:
        series = [("", place)]
    found = _try(tx, login, password, series, now)
    if isinstance(found, Denied):
        return found
    known = known if was_known else _token(entropy)
    store.know_browser(
        tx, _token_hash(known), found.id, now, kept=BROWSER_EACH, stale=now - BROWSER_KEPT
    )
    came = _begin(tx, found, agent, "password", ids, now, lifetime, entropy)
    return replace(came, known=known)


def prove(tx: Transaction, *, person: PersonId, password: str, now: Instant) -> Denied | None:
    """Whether a person who is signed in knows the password, as `sign_in` asks; None: it does.

    It is counted apart from what is tried at the door. Ask before a password is changed by who has
    it. Raises NotFound `person-unknown`.
    """
    login = persons.known(store.person(tx, person), person).login
    found = _try(tx, login, password, [(login, WITHIN)], now)
    return found if isinstance(found, Denied) else None


def sign_in_known(
    tx: Transaction,
    *,
    identity: Identity,
    login: str,
    name: str,
    roles: Collection[str],
    party: PartyId | None = None,
    language: str = "en",
    agent: str,
    ids: Ids,
    now: Instant,
    lifetime: timedelta = LIFETIME,
    entropy: Entropy = secrets.token_bytes,
) -> SignedIn | Denied:
    """A new session for whom an identity provider has let in; a new person at first sight.

    Name, roles and party are what the provider says now, each time; login and language count at
    first sight only. roles: names that are no roles here are passed over. Denied with Refused
    `person-without-role` when none is left, and the person has none then, and no session;
    `sign-in-refused` for one who is off: commit, then raise. Raises Refused `login-taken` for a
    login that is someone else's, `login-invalid`, `person-invalid`, `roles-invalid`.
    """
    staff = rules.known_roles(roles)
    party = party if StaffRole.CUSTOMER in staff else None
    found = store.lock_known(tx, identity)
    if not staff:
        if found is not None:
            persons.write(tx, found, replace(found, roles=frozenset(), party=None), now)
        return Denied(
            Refused(
                "person-without-role",
                "The identity provider knows you, and names no role that you have here. Ask an "
                "administrator to give you one.",
            )
        )
    if found is None:
        found = _meet(
            tx,
            identity,
            Person(
                id=ids.new(PersonId),
                login=rules.folded(login),
                name=name.strip(),
                roles=staff,
                party=party,
                language=language,
            ),
            now,
        )
    if not found.active:
        return Denied(rules.wrong())
    changed = replace(found, name=name.strip(), roles=staff, party=party)
    rules.check_person(changed)
    persons.write(tx, found, changed, now)
    return _begin(tx, changed, agent, identity.issuer, ids, now, lifetime, entropy)


def _meet(tx: Transaction, identity: Identity, person: Person, now: Instant) -> Person:
    """Enters whom a provider knows. Who comes in by two doors at once is entered by one of them."""
    rules.check_person(person)
    if store.insert_person(tx, person, None, now):
        if not store.insert_identity(tx, identity, person.id):
            # The other door has entered it meanwhile, under another login.
            raise persons.taken(person.login)
        return person
    found = store.lock_known(tx, identity)
    if found is None:
        raise persons.taken(person.login)
    return found


def _try(
    tx: Transaction, login: str, password: str, series: Sequence[tuple[str, str]], now: Instant
) -> Person | Denied:
    """The person with this login, if that is the password; else one more wrong one is counted.

    series: by login and place, what counts it; the last is forgotten when the password is right.
    """
    tried = store.lock_tries(tx, series, now)
    waiting = [one.waits_until for one in tried if one.waits_until and now < one.waits_until]
    if waiting:
        return Denied(rules.waits(max(waiting), now))
    person, kept = store.hold_with_password(tx, login) or (None, None)
    comes = person is not None and person.active and bool(person.roles)
    if rules.is_password(password, kept) and person is not None and comes:
        store.forget_tries(tx, *series[-1])
        store.sweep_tries(tx, now)
        return person
    hunted = rules.is_hunted(tried, now)
    counted = [rules.one_more(one, now, hunted=hunted and bool(one.login)) for one in tried]
    for before, after in zip(tried, counted, strict=True):
        store.write_tries(tx, after)
        if rules.is_news(before, after, now, hunted=hunted):
            _note(tx, after, person, now)
    store.sweep_tries(tx, now)
    until = max((one.waits_until for one in counted if one.waits_until), default=now)
    return Denied(rules.waits(until, now) if until > now else rules.wrong())


def _note(tx: Transaction, tries: Tries, person: Person | None, now: Instant) -> None:
    """Writes down that guessing is held up from now on; of a login that nobody has, it does not,
    or the audit log could be filled from outside.
    """
    where = tries.place.partition(":")[0] if tries.login else tries.place
    details: Json = {"failures": rules.failures(tries, now), "from": where or "everywhere"}
    if not tries.login:
        who = f"address:{tries.place}"
        audit.record(
            tx, by=who, action="sign-in-waits", subject=tries.place, details=details, now=now
        )
    elif person is not None:
        audit.record(
            tx, by=person, action="sign-in-waits", subject=person.login, details=details, now=now
        )


def _begin(
    tx: Transaction,
    person: Person,
    agent: str,
    way: str,
    ids: Ids,
    now: Instant,
    lifetime: timedelta,
    entropy: Entropy,
) -> SignedIn:
    session = Session(
        id=ids.new(SessionId),
        person=person.id,
        begun_at=now,
        seen_at=now,
        ends_at=now + lifetime,
        agent=rules.agent(agent),
    )
    token = _token(entropy)
    store.insert_session(tx, session, _token_hash(token), now - SESSION_KEPT)
    audit.record(
        tx, by=person, action="signed-in", subject=session.id,
        details={"by": way, "agent": session.agent}, now=now,
    )  # fmt: skip
    return SignedIn(person, session, token)


def _token(entropy: Entropy) -> str:
    return urlsafe_b64encode(entropy(32)).decode().rstrip("=")


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


# --- sessions ---


def session(
    tx: Transaction, *, token: str, now: Instant, idle: timedelta = IDLE
) -> Seen | Expired | None:
    """Whose token this is; None for one that we never gave, or that ended long ago.

    A session lasts until nothing was seen of it for `idle`, and no longer than was said when it
    began. That it was seen is written down once a minute at most.
    """
    found = store.session(tx, _token_hash(token))
    if found is None:
        return None
    session, person, ended = found
    why = "ended" if ended else rules.over(session, idle=idle, now=now)
    if why is not None or not person.active:
        return Expired(session, person, why or "ended")
    if now - session.seen_at >= SEEN_EVERY:
        store.seen(tx, session.id, now)
        session = replace(session, seen_at=now)
    return Seen(session, person)


def lasting(
    tx: Transaction, *, sessions: Collection[SessionId], idle: timedelta = IDLE, now: Instant
) -> frozenset[SessionId]:
    """Which of these sessions last. That it is asked makes none of them last longer."""
    found = store.unended(tx, sessions)
    return frozenset(one.id for one in found if rules.over(one, idle=idle, now=now) is None)


def sign_out(tx: Transaction, *, session: SessionId, now: Instant) -> None:
    """Ends a session by who has it. Again: no change."""
    ended = store.end_session(tx, session, now)
    person = store.person(tx, ended.person) if ended else None
    if person is not None:
        audit.record(tx, by=person, action="signed-out", subject=session, now=now)


def sessions(
    tx: Transaction, *, person: PersonId, now: Instant, idle: timedelta = IDLE
) -> Sequence[Session]:
    """The sessions of a person that last, the one that was seen last first."""
    found = store.sessions(tx, person, now)
    return [one for one in found if rules.over(one, idle=idle, now=now) is None]


def revoke(tx: Transaction, *, session: SessionId, now: Instant) -> bool:
    """Ends a session, whosesoever it is. False when there is none, or it was ended already."""
    return store.end_session(tx, session, now) is not None


def revoke_all(
    tx: Transaction, *, person: PersonId, besides: SessionId | None = None, now: Instant
) -> int:
    """Ends the sessions of a person; besides: goes on. Returns how many, and locks the person, so
    that a sign-in under way is ended too or begins after it. Raises NotFound `person-unknown`.
    """
    persons.known(store.lock(tx, person), person)
    return store.end_sessions(tx, person, besides, now)


# --- forms that wait ---


def park(
    tx: Transaction,
    *,
    session: Session,
    path: str,
    fields: Json,
    now: Instant,
    entropy: Entropy = secrets.token_bytes,
) -> str:
    """Keeps what was typed into a form when its session had ended; the id to find it by.

    It waits for a day, for the same person; ten of one person at most, the oldest make room.
    Raises Refused `form-invalid`, `form-too-big` above 256 KiB of JSON.
    """
    rules.check_path(path)
    written = json.dumps(fields, separators=(",", ":")).encode()
    if len(written) > PARKED_MAX:
        raise Refused(
            "form-too-big",
            f"What was typed is more than {PARKED_MAX >> 10} KiB and could not be kept while you "
            "sign in. Sign in, and enter it again.",
            field="form",
        )
    made = Parked(entropy(16).hex(), path, fields, now)
    store.insert_parked(tx, made, session.person, written)
    store.make_room(tx, session.person, PARKED_EACH, now - PARKED_KEPT)
    return made.id


def parked(tx: Transaction, *, id: str, person: PersonId, now: Instant) -> Parked | None:
    """What waits under this id for this person; None when nothing does, or no longer."""
    return store.parked(tx, id, person, now - PARKED_KEPT)
