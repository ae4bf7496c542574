"""The tables of people, and every line of SQL about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hansa.foundation.database import Jsonb, all_rows, one_row, records, run, send
from hansa.foundation.documents import Json
from hansa.foundation.ids import PartyId, PersonId, ProposalId, SessionId
from hansa.foundation.people.model import (
    AuditEntry,
    Identity,
    Parked,
    Person,
    Proposal,
    ProposalState,
    Session,
    StaffRole,
    Tries,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

_PERSON = "select id, login, name, roles, party, language, active from people_person "


# --- people -------------------------------------------------------------------------------------


def insert_person(tx: Transaction, person: Person, password: str | None, now: Instant) -> bool:
    """False when somebody has the login already."""
    return bool(
        run(
            tx,
            """insert into people_person (id, login, name, roles, party, language, active, password,
                   made_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (login) do nothing""",
            (
                person.id,
                person.login,
                person.name,
                sorted(person.roles),
                person.party,
                person.language,
                person.active,
                password,
                now,
            ),
        )
    )


def insert_identity(tx: Transaction, identity: Identity, person: PersonId) -> bool:
    """False when the identity is somebody's already."""
    sql = "insert into people_identity (issuer, subject, person) values (%s, %s, %s)"
    made = run(tx, sql + " on conflict do nothing", (identity.issuer, identity.subject, person))
    return bool(made)


def people(tx: Transaction) -> Sequence[Person]:
    rows = all_rows(tx, _PERSON + "order by login")
    return [_person(row) for row in rows]


def person(tx: Transaction, id: PersonId) -> Person | None:
    row = one_row(tx, _PERSON + "where id = %s", (id,))
    return _person(row) if row else None


def find(tx: Transaction, login: str) -> Person | None:
    row = one_row(tx, _PERSON + "where login = %s", (login,))
    return _person(row) if row else None


def lock(tx: Transaction, id: PersonId) -> Person | None:
    """The person, whom nobody changes or signs in until the transaction ends."""
    row = one_row(tx, _PERSON + "where id = %s for update", (id,))
    return _person(row) if row else None


def hold(tx: Transaction, id: PersonId) -> Person | None:
    """The person, whom nobody changes until the transaction ends."""
    row = one_row(tx, _PERSON + "where id = %s for share", (id,))
    return _person(row) if row else None


def hold_with_password(tx: Transaction, login: str) -> tuple[Person, str | None] | None:
    """As `hold`, with the hash of the password."""
    row = one_row(
        tx,
        """select id, login, name, roles, party, language, active, password
             from people_person where login = %s for share""",
        (login,),
    )
    return (_person(row), row["password"]) if row else None


def lock_known(tx: Transaction, identity: Identity) -> Person | None:
    """As `lock`, for the person whom an identity provider knows so."""
    row = one_row(
        tx,
        """select id, login, name, roles, party, language, active from people_person
            where id = (select person from people_identity where issuer = %s and subject = %s)
              for update""",
        (identity.issuer, identity.subject),
    )
    return _person(row) if row else None


def update_person(tx: Transaction, person: Person) -> None:
    run(
        tx,
        """update people_person set name = %s, roles = %s, party = %s, language = %s, active = %s
            where id = %s""",
        (
            person.name,
            sorted(person.roles),
            person.party,
            person.language,
            person.active,
            person.id,
        ),
    )


def set_password(tx: Transaction, person: PersonId, password: str) -> None:
    run(tx, "update people_person set password = %s where id = %s", (password, person))


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        id=PersonId(row["id"]),
        login=row["login"],
        name=row["name"],
        roles=frozenset(StaffRole(role) for role in row["roles"]),
        party=PartyId(row["party"]) if row["party"] is not None else None,
        language=row["language"],
        active=row["active"],
    )


# --- wrong passwords ----------------------------------------------------------------------------


def lock_tries(tx: Transaction, series: Sequence[tuple[str, str]], now: Instant) -> Sequence[Tries]:
    """What was tried, by login and place, locked one after the other until the transaction ends."""
    return records(
        tx,
        Tries,
        """insert into people_try (login, place, forgotten_at)
           select login, place, %s from unnest(%s::text[], %s::text[]) as asked (login, place)
           on conflict (login, place) do update set login = excluded.login
           returning login, place, forgotten_at, waits_until""",
        (now, [login for login, _ in series], [place for _, place in series]),
    )


def write_tries(tx: Transaction, tries: Tries) -> None:
    send(
        tx,
        "update people_try set forgotten_at = %s, waits_until = %s where login = %s and place = %s",
        (tries.forgotten_at, tries.waits_until, tries.login, tries.place),
    )


def forget_tries(tx: Transaction, login: str, place: str | None = None) -> None:
    """Those of a login from a place; without one: from all, and wherever from."""
    send(
        tx,
        "delete from people_try where login = %s and place = coalesce(%s::text, place)",
        (login, place),
    )


def sweep_tries(tx: Transaction, now: Instant) -> None:
    """What is forgotten by now is gone; but what somebody tries a password on at this moment."""
    send(
        tx,
        """delete from people_try where (login, place) in (
               select login, place from people_try where forgotten_at <= %s limit 100
                  for update skip locked)""",
        (now,),
    )


def is_known(tx: Transaction, token_hash: bytes, login: str, stale: Instant) -> bool:
    """Whether that person has signed in with this browser, later than stale."""
    sql = """select 1 from people_browser b join people_person p on p.id = b.person
              where b.token_hash = %s and p.login = %s and b.seen_at > %s"""
    return one_row(tx, sql, (token_hash, login, stale)) is not None


def know_browser(
    tx: Transaction, token_hash: bytes, person: PersonId, now: Instant, kept: int, stale: Instant
) -> None:
    """Keeps the newest browsers of a person, and none of anyone's that is from stale or before."""
    send(
        tx,
        """insert into people_browser (token_hash, person, seen_at) values (%s, %s, %s)
           on conflict (token_hash) do update set seen_at = excluded.seen_at""",
        (token_hash, person, now),
    )
    send(
        tx,
        """delete from people_browser where token_hash in (
               select token_hash from (
                   (select token_hash from people_browser where person = %s
                     order by seen_at desc, token_hash offset %s)
                   union all
                   (select token_hash from people_browser where seen_at <= %s limit 100)) old)""",
        (person, kept, stale),
    )


# --- sessions -----------------------------------------------------------------------------------


def insert_session(tx: Transaction, session: Session, token_hash: bytes, stale: Instant) -> None:
    """stale: sessions that lasted until then or before are of no interest any more."""
    send(
        tx,
        """insert into people_session (id, person, token_hash, agent, begun_at, seen_at, ends_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            session.id,
            session.person,
            token_hash,
            session.agent,
            session.begun_at,
            session.seen_at,
            session.ends_at,
        ),
    )
    send(
        tx,
        """delete from people_session where id in (
               select id from people_session where ends_at <= %s limit 100
                  for update skip locked)""",
        (stale,),
    )


def session(tx: Transaction, token_hash: bytes) -> tuple[Session, Person, bool] | None:
    """The session with this token, whose it is, and whether it was ended."""
    row = one_row(
        tx,
        """select s.id, s.person, s.begun_at, s.seen_at, s.ends_at, s.agent,
                  p.login, p.name, p.roles, p.party, p.language, p.active,
                  s.ended_at is not null as ended
             from people_session s join people_person p on p.id = s.person
            where s.token_hash = %s""",
        (token_hash,),
    )
    if row is None:
        return None
    return _session(row), _person({**row, "id": row["person"]}), row["ended"]


def seen(tx: Transaction, session: SessionId, now: Instant) -> None:
    send(
        tx,
        """update people_session set seen_at = %s
            where id = %s and seen_at < %s and ended_at is null""",
        (now, session, now),
    )


def sessions(tx: Transaction, person: PersonId, now: Instant) -> Sequence[Session]:
    """Those that nobody ended and that are not too old, the one that was seen last first."""
    rows = all_rows(
        tx,
        """select id, person, begun_at, seen_at, ends_at, agent from people_session
            where person = %s and ended_at is null and ends_at > %s
            order by seen_at desc, id desc""",
        (person, now),
    )
    return [_session(row) for row in rows]


def unended(tx: Transaction, sessions: Collection[SessionId]) -> Sequence[Session]:
    """Those of them that nobody ended, of people who are not off."""
    rows = all_rows(
        tx,
        """select s.id, s.person, s.begun_at, s.seen_at, s.ends_at, s.agent
             from people_session s join people_person p on p.id = s.person
            where s.id = any(%s) and s.ended_at is null and p.active""",
        (list(sessions),),
    )
    return [_session(row) for row in rows]


def end_session(tx: Transaction, session: SessionId, now: Instant) -> Session | None:
    """None when there is no such session, or it was ended already."""
    row = one_row(
        tx,
        """update people_session set ended_at = %s where id = %s and ended_at is null
           returning id, person, begun_at, seen_at, ends_at, agent""",
        (now, session),
    )
    return _session(row) if row else None


def end_sessions(tx: Transaction, person: PersonId, besides: SessionId | None, now: Instant) -> int:
    """Ends every session of a person that was not ended; besides: goes on."""
    return run(
        tx,
        """update people_session set ended_at = %s
            where person = %s and ended_at is null and id is distinct from %s::text""",
        (now, person, besides),
    )


def _session(row: Mapping[str, Any]) -> Session:
    return Session(
        id=SessionId(row["id"]),
        person=PersonId(row["person"]),
        begun_at=row["begun_at"],
        seen_at=row["seen_at"],
        ends_at=row["ends_at"],
        agent=row["agent"],
    )


# --- forms that wait ----------------------------------------------------------------------------


def insert_parked(tx: Transaction, parked: Parked, person: PersonId, fields: bytes) -> None:
    run(
        tx,
        """insert into people_parked (id, person, path, fields, parked_at)
           values (%s, %s, %s, %s, %s)""",
        (parked.id, person, parked.path, fields, parked.parked_at),
    )


def make_room(tx: Transaction, person: PersonId, kept: int, stale: Instant) -> None:
    """Keeps the newest forms of a person, and none of anyone's that is from stale or before."""
    send(
        tx,
        """delete from people_parked where id in (
               select id from people_parked where person = %s
                order by parked_at desc, id desc offset %s)""",
        (person, kept),
    )
    send(
        tx,
        """delete from people_parked where id in (
               select id from people_parked where parked_at <= %s limit 100
                  for update skip locked)""",
        (stale,),
    )


def parked(tx: Transaction, id: str, person: PersonId, stale: Instant) -> Parked | None:
    row = one_row(
        tx,
        """select id, path, fields, parked_at from people_parked
            where id = %s and person = %s and parked_at > %s""",
        (id, person, stale),
    )
    return (
        Parked(row["id"], row["path"], json.loads(row["fields"]), row["parked_at"]) if row else None
    )


# --- what was done ------------------------------------------------------------------------------


def insert_audit(
    tx: Transaction,
    *,
    who: str,
    roles: Sequence[StaffRole],
    action: str,
    subject: str,
    why: str,
    details: Json,
    now: Instant,
) -> None:
    send(
        tx,
        """insert into people_audit (at, who, roles, action, subject, why, details)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (now, who, list(roles), action, subject, why, None if details is None else Jsonb(details)),
    )


_TRAIL = "select number, at, who, roles, action, subject, why, details from people_audit "


def trail(tx: Transaction, wanted: Mapping[str, str | int | None], limit: int) -> list[AuditEntry]:
    """wanted: who, action, subject as they are; before: a number. None: whichever."""
    conditions = {
        "who": "who = %(who)s",
        "action": "action = %(action)s",
        "subject": "subject = %(subject)s",
        "before": "number < %(before)s",
    }
    sql, given = _filtered(_TRAIL, conditions, wanted, "number desc")
    rows = all_rows(tx, sql, {**given, "limit": limit})
    return [
        AuditEntry(**{**row, "roles": tuple(StaffRole(role) for role in row["roles"])})
        for row in rows
    ]


def _filtered(
    select: str, conditions: Mapping[str, str], wanted: Mapping[str, Any], order: str
) -> tuple[str, Mapping[str, Any]]:
    """The statement for what is wanted of a list, and its parameters but for the limit."""
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " and ".join(conditions[name] for name in given) or "true"
    return select + "where " + where + " order by " + order + " limit %(limit)s", given


# --- what two decide ----------------------------------------------------------------------------

_PROPOSAL = """
select id, kind, subject, content, fingerprint, why, maker, made_at, state, checker, checked_at,
       checker_why
  from people_proposal
"""


def insert_proposal(tx: Transaction, made: Proposal) -> bool:
    """False when there is an open one of this kind for this subject."""
    return bool(
        run(
            tx,
            """insert into people_proposal (id, kind, subject, content, fingerprint, why, maker,
                   made_at, state, checker_why)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, '')
               on conflict (kind, subject) where state = 'open' do nothing""",
            (
                made.id,
                made.kind,
                made.subject,
                Jsonb(dict(made.content)),
                made.fingerprint,
                made.why,
                made.maker,
                made.made_at,
                made.state,
            ),
        )
    )


def proposal(tx: Transaction, id: ProposalId) -> Proposal | None:
    row = one_row(tx, _PROPOSAL + "where id = %s", (id,))
    return _proposal(row) if row else None


def lock_proposal(tx: Transaction, id: ProposalId) -> Proposal | None:
    """The proposal, on which nobody else decides until the transaction ends."""
    row = one_row(tx, _PROPOSAL + "where id = %s for update", (id,))
    return _proposal(row) if row else None


def proposals(tx: Transaction, wanted: Mapping[str, str | None], limit: int) -> Sequence[Proposal]:
    """wanted: state, kind, subject, maker as they are; before: an id. None: whichever."""
    conditions = {
        "state": "state = %(state)s",
        "kind": "kind = %(kind)s",
        "subject": "subject = %(subject)s",
        "maker": "maker = %(maker)s",
        "before": "id < %(before)s",
    }
    sql, given = _filtered(_PROPOSAL, conditions, wanted, "id desc")
    rows = all_rows(tx, sql, {**given, "limit": limit})
    return [_proposal(row) for row in rows]


def decide(tx: Transaction, decided: Proposal) -> None:
    run(
        tx,
        """update people_proposal set state = %s, checker = %s, checked_at = %s, checker_why = %s
            where id = %s""",
        (decided.state, decided.checker, decided.checked_at, decided.checker_why, decided.id),
    )


def _proposal(row: Mapping[str, Any]) -> Proposal:
    return Proposal(**{**row, "id": ProposalId(row["id"]), "state": ProposalState(row["state"])})
