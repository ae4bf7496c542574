"""Who may do what, who did what, and what waits for a second person."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from hansa.entrypoints.portal import language
from hansa.entrypoints.portal.ask import ADMINS, APPROVERS, STAFF, Ask, change, page
from hansa.entrypoints.portal.duties import Duty, known
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.pages.alliance import signing
from hansa.entrypoints.portal.pages.finance import confirming
from hansa.entrypoints.portal.pages.sales import publishing
from hansa.foundation.ids import PartyId, PersonId, ProposalId
from hansa.foundation.people.actions import audit, persons, proposals, sessions
from hansa.foundation.people.model import ProposalState, StaffRole

PAGE = 50

DUTIES: Mapping[str, Duty] = {
    duty.kind: duty for duty in (publishing.DUTY, *confirming.DUTIES, *signing.DUTIES)
}
"""Every kind of proposal that somebody may make, by its kind."""


# --- people ---------------------------------------------------------------------------------------


@page("/people", roles=ADMINS)
def people_list(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        found = persons.people(tx)
    return ask.render("administration/people.html", people=found)


@page("/people/new", roles=ADMINS)
def person_new(ask: Ask) -> Response:
    return ask.render("administration/person_new.html", roles=tuple(StaffRole), chosen=_roles(ask))


@change("/people/new", roles=ADMINS, again=person_new)
def person_enter(ask: Ask) -> Response:
    login = ask.typed("login").strip()
    party = ask.typed("party").strip()
    with ask.change("person-entered", subject=login, details={"roles": sorted(_roles(ask))}) as tx:
        made = persons.enter(
            tx,
            login=login,
            name=ask.typed("name").strip(),
            roles=_roles(ask),
            party=PartyId(party) if party else None,
            language=language.chosen([ask.typed("language")], otherwise=ask.brand.language),
            password=ask.typed("password") or None,
            ids=ask.node.ids,
            now=ask.now,
        )
    return ask.back(f"/people/{made.id}", said=_("%(name)s can sign in now.", name=made.name))


@page("/people/{id}", roles=ADMINS)
def person(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        one = persons.get(tx, person=PersonId(ask.path["id"]))
        browsers = sessions.sessions(tx, person=one.id, now=ask.now)
        trail = audit.trail(tx, who=one.login, limit=20)
    chosen = _roles(ask) if ask.refusal else one.roles
    return ask.render(
        "administration/person.html",
        one=one,
        browsers=browsers,
        trail=trail,
        roles=tuple(StaffRole),
        chosen=chosen,
    )


@change("/people/{id}", roles=ADMINS, again=person)
def person_change(ask: Ask) -> Response:
    id = PersonId(ask.path["id"])
    why = ask.why()
    details = {"roles": sorted(_roles(ask)), "active": ask.typed("active") == "yes"}
    with ask.change("person-changed", subject=id, why=why, details=details) as tx:
        persons.change(
            tx,
            person=id,
            name=ask.typed("name").strip(),
            roles=_roles(ask),
            active=ask.typed("active") == "yes",
            now=ask.now,
        )
    return ask.back(f"/people/{id}", said=_("Changed. Open sessions of this person are ended."))


def _roles(ask: Ask) -> frozenset[StaffRole]:
    given = set(ask.lists.get("roles", ()))
    return frozenset(role for role in StaffRole if role in given)


# --- the audit log --------------------------------------------------------------------------------


@page("/audit", roles=ADMINS | APPROVERS)
def audit_log(ask: Ask) -> Response:
    wanted = {name: ask.query.get(name, "").strip() for name in ("who", "action", "subject")}
    before = ask.number("before", 0) or None
    with ask.node.begin() as tx:
        found = audit.trail(
            tx,
            who=wanted["who"] or None,
            action=wanted["action"] or None,
            subject=wanted["subject"] or None,
            before=before,
            limit=PAGE + 1,
        )
    more = found[PAGE - 1].number if len(found) > PAGE else None
    return ask.render(
        "administration/audit.html",
        part="administration/_audit.html",
        entries=found[:PAGE],
        wanted=wanted,
        more=more,
    )


# --- what waits for a second person ---------------------------------------------------------------


@page("/approvals", roles=STAFF)
def approvals(ask: Ask) -> Response:
    """What waits, for all of the staff to see; what was decided lately below it."""
    with ask.node.begin() as tx:
        waiting = proposals.proposals(tx, state=ProposalState.OPEN, limit=PAGE)
        lately = proposals.proposals(tx, limit=PAGE)
    decided = [one for one in lately if one.state is not ProposalState.OPEN]
    return ask.render(
        "administration/approvals.html", waiting=waiting, decided=decided, duties=DUTIES
    )


@page("/approvals/{id}", roles=STAFF)
def approval(ask: Ask) -> Response:
    with ask.node.begin() as tx:
        one = proposals.proposal(tx, proposal=ProposalId(ask.path["id"]))
    duty = known(DUTIES, one.kind)
    return ask.render("administration/approval.html", one=one, duty=duty, facts=duty.facts(one))


@change("/approvals/{id}/approve", roles=APPROVERS, again=approval)
def approve(ask: Ask) -> Response:
    """Approves exactly what was shown, and does it, in one transaction."""
    id = ProposalId(ask.path["id"])
    why = ask.typed("why").strip()
    with ask.change("proposal-approved", subject=id, why=why) as tx:
        done = proposals.approve(
            tx,
            proposal=id,
            by=ask.me,
            fingerprint=ask.typed("fingerprint"),
            why=why,
            now=ask.now,
        )
        known(DUTIES, done.kind).carry_out(ask, tx, done)
    return ask.back("/approvals", said=_("Approved and carried out."))


@change("/approvals/{id}/reject", roles=APPROVERS, again=approval)
def reject(ask: Ask) -> Response:
    id = ProposalId(ask.path["id"])
    why = ask.why(_("Say why, so that it can be put right."))
    with ask.change("proposal-rejected", subject=id, why=why) as tx:
        proposals.reject(tx, proposal=id, by=ask.me, why=why, now=ask.now)
    return ask.back("/approvals", said=_("Rejected. Nothing was done."))


@change("/approvals/{id}/withdraw", roles=STAFF, again=approval)
def withdraw(ask: Ask) -> Response:
    id = ProposalId(ask.path["id"])
    with ask.change("proposal-withdrawn", subject=id) as tx:
        proposals.withdraw(tx, proposal=id, by=ask.me, now=ask.now)
    return ask.back("/approvals", said=_("Withdrawn. Nothing was done."))


pages = [
    people_list, person_new, person_enter, person, person_change, audit_log, approvals, approval,
    approve, reject, withdraw,
]  # fmt: skip
