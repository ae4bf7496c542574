"""Who may be entered, which passwords are good, when a session is over, who may decide what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Literal

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.people.model import Person, Proposal, Session, StaffRole, Tries
from hansa.foundation.time import Instant

LOGIN_MAX = 80
NAME_MAX = 100
PASSWORD_MIN = 12
PASSWORD_MAX = 1024
WHY_MAX = 2000
AGENT_MAX = 200
PATH_MAX = 2000

MEMORY_KIB = 19 * 1024
ITERATIONS = 2
LANES = 1
SALT_OCTETS = 16
HASH_OCTETS = 32
"""Argon2id as OWASP advises for servers (Password Storage Cheat Sheet): 19 MiB, twice, one lane."""

NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""No password has this hash; to be told so takes as long as for any other."""

TRIES = 5
"""Wrong passwords that are forgiven: of one login, from one place."""
TRIES_OF_PLACE = 30
"""The same from one place, of any logins: many people of an office come from one."""
TRIES_OF_LOGIN = 50
"""The same of one login, from any places. After them a new place has one try at a time."""
EASE = timedelta(minutes=15)
"""In which time one wrong password is forgotten."""

WAIT_FIRST = timedelta(seconds=30)
WAIT_MAX = timedelta(minutes=15)
WAIT_HUNTED = timedelta(hours=1)
"""How long to wait after one wrong password for a login that is tried from everywhere."""
STEPS = 5
"""After so many more than are forgiven the wait is the longest, and no more are counted."""
IPV6_PREFIX = 56
"""Bits of an IPv6 address that are one household's or one rented machine's (RIPE-690)."""

_LOGIN = re.compile(rf"[a-z0-9][a-z0-9._@+-]{{0,{LOGIN_MAX - 1}}}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


# --- people -------------------------------------------------------------------------------------


def folded(login: str) -> str:
    """A login as it is kept: without spaces around it, in small letters."""
    return login.strip().lower()


def is_login(text: str) -> bool:
    """Whether anyone can be called so."""
    return _LOGIN.fullmatch(text) is not None


def check_person(person: Person) -> None:
    """Raises Refused `login-invalid`, `person-invalid`, `roles-invalid`."""
    if not is_login(person.login):
        raise Refused(
            "login-invalid",
            f"A login has 1 to {LOGIN_MAX} small letters, digits and . _ - + @, and begins with a "
            "letter or digit.",
            field="login",
        )
    if not 1 <= len(person.name) <= NAME_MAX or not person.name.isprintable():
        raise Refused(
            "person-invalid",
            f"A person has a name of 1 to {NAME_MAX} printable characters.",
            field="name",
        )
    if not _LANGUAGE.fullmatch(person.language):
        raise Refused(
            "person-invalid",
            f"{person.language!r} is no language; write it as en or pt-BR.",
            field="language",
        )
    check_roles(person.roles, person.party)


def check_roles(roles: Collection[StaffRole], party: PartyId | None) -> None:
    """Raises Refused `roles-invalid` unless these go together."""
    customer = StaffRole.CUSTOMER in roles
    if not roles:
        raise Refused("roles-invalid", "A person has at least one role.", field="roles")
    if customer and len(roles) > 1:
        raise Refused("roles-invalid", "A customer's person has no other role.", field="roles")
    if customer != (party is not None):
        raise Refused(
            "roles-invalid",
            "A customer's person comes for one party, and our own staff for none: name the party "
            "with the role customer, and with no other.",
            field="party",
        )


def known_roles(names: Collection[str]) -> frozenset[StaffRole]:
    """Those of the names that are roles; an identity provider has other ones, too."""
    return frozenset(role for role in StaffRole if role in names)


# --- passwords ----------------------------------------------------------------------------------


def check_password(password: str, login: str) -> None:
    """Raises Refused `password-weak`."""
    plain = _plain(password)
    if not PASSWORD_MIN <= len(plain) <= PASSWORD_MAX:
        raise Refused(
            "password-weak",
            f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters of any kind. Take a "
            "sentence.",
            field="password",
        )
    if plain.strip().lower() == login:
        raise Refused(
            "password-weak", "A password is something else than the login.", field="password"
        )


def hashed(password: str, salt: bytes) -> str:
    """The password as it is kept: Argon2id in PHC's string form."""
    kdf = Argon2id(
        salt=salt,
        length=HASH_OCTETS,
        iterations=ITERATIONS,
        lanes=LANES,
        memory_cost=MEMORY_KIB,
    )
    return kdf.derive_phc_encoded(_octets(password))


def is_password(given: str, kept: str | None) -> bool:
    """Whether this is the password that was kept; None takes as long, and never is."""
    if len(_plain(given)) > PASSWORD_MAX:
        given = ""  # no password has no characters
    try:
        Argon2id.verify_phc_encoded(_octets(given), kept or NOBODYS)
    except InvalidKey:
        return False
    return kept is not None


def _plain(password: str) -> str:
    """The same characters however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)


def _octets(password: str) -> bytes:
    return _plain(password).encode("utf-8", "surrogatepass")


def place(address: str) -> str:
    """From where somebody comes: an IPv4 address, a network of IPv6; `unknown` for anything else.

    Of IPv6 a whole network counts as one, since whoever has one address has all of it.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, IPV6_PREFIX), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def forgiven(tries: Tries) -> int:
    """How many wrong passwords of this kind are forgiven."""
    if not tries.login:
        return TRIES_OF_PLACE
    return TRIES if tries.place else TRIES_OF_LOGIN


def failures(tries: Tries, now: Instant) -> int:
    """How many of them are not forgotten yet."""
    return max(0, -((now - tries.forgotten_at) // EASE))


def is_hunted(tries: Collection[Tries], now: Instant) -> bool:
    """Whether the login of these is being tried from everywhere."""
    return any(not one.place and failures(one, now) >= TRIES_OF_LOGIN for one in tries)


def one_more(tries: Tries, now: Instant, *, hunted: bool) -> Tries:
    """With one more wrong password. A login that is tried from everywhere has no wait of its own,
    or anyone could shut its person out: it makes each place wait at once, and long.
    """
    most = forgiven(tries) + STEPS
    count = min(failures(tries, now) + 1, most)
    forgotten = min(max(tries.forgotten_at, now) + EASE, now + EASE * most)
    wait = WAIT_HUNTED if hunted else wait_after(count, forgiven(tries))
    if wait is None or not tries.place:
        return replace(tries, forgotten_at=forgotten)
    until = max(now + wait, tries.waits_until or now)
    return replace(tries, forgotten_at=max(forgotten, until), waits_until=until)


def is_news(before: Tries, after: Tries, now: Instant, *, hunted: bool) -> bool:
    """Whether from this try on guessing is held up: once a series, not for every try of it, and
    once for a login that is tried from everywhere, not for every place.
    """
    if not after.place:
        return failures(before, now) < TRIES_OF_LOGIN <= failures(after, now)
    begins = before.waits_until is None and after.waits_until is not None
    return begins and not (hunted and bool(after.login))


def wait_after(failures: int, forgiven: int = TRIES) -> timedelta | None:
    """How long to wait after so many wrong passwords."""
    if failures < forgiven:
        return None
    return min(WAIT_MAX, WAIT_FIRST * (1 << min(failures - forgiven, 10)))


def wrong() -> Refused:
    """The one answer to a wrong password, an unknown login, and a person who is off."""
    return Refused(
        "sign-in-refused",
        "Login and password do not belong together. Check both; an administrator can set a new "
        "password.",
    )


def waits(until: Instant, now: Instant) -> TryLater:
    """The answer while there were too many wrong ones, whoever has the login."""
    seconds = max(1, ceil((until - now).total_seconds()))
    return TryLater(
        "sign-in-waits",
        f"There were too many wrong passwords. Try again in {seconds} seconds; a browser in which "
        "you have signed in before does not wait for what others typed.",
        after_s=seconds,
    )


# --- sessions -----------------------------------------------------------------------------------


def over(session: Session, *, idle: timedelta, now: Instant) -> Literal["idle", "age"] | None:
    """Why a session that nobody ended is over, None while it lasts."""
    if now >= session.ends_at:
        return "age"
    return "idle" if now - session.seen_at >= idle else None


def agent(text: str) -> str:
    """What a browser calls itself, so far as it is fit to be kept and shown."""
    return "".join(char for char in text if char.isprintable())[:AGENT_MAX]


def check_path(path: str) -> None:
    """Raises Refused `form-invalid` unless this is a path on this server and nowhere else."""
    local = path.startswith("/") and not path.startswith(("//", "/\\"))
    if not local or not path.isprintable() or len(path) > PATH_MAX:
        raise Refused("form-invalid", "A form is posted to a path of this server.", field="path")


# --- decisions ----------------------------------------------------------------------------------


def fingerprint(kind: str, subject: str, content: Mapping[str, Json]) -> str:
    """What a checker sees and agrees to, in one word."""
    return documents.fingerprint({"kind": kind, "subject": subject, "content": dict(content)})


def check_checker(proposal: Proposal, by: Person) -> None:
    """Raises Refused `approver-needed`, `maker-is-checker`."""
    if not by.active or StaffRole.APPROVER not in by.roles:
        raise Refused(
            "approver-needed",
            "Only a person with the role approver decides on what another has proposed.",
        )
    if by.login == proposal.maker:
        raise Refused(
            "maker-is-checker",
            "You have proposed this yourself: another person decides on it. You may withdraw it.",
        )


def check_why(why: str) -> None:
    """Raises Refused `proposal-invalid` for a reason that is missing or too long."""
    if not 1 <= len(why.strip()) <= WHY_MAX:
        raise Refused("proposal-invalid", f"Say why, in at most {WHY_MAX} characters.", field="why")
