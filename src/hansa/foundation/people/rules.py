"""Who may be entered, which passwords are good, when a session is over, who may decide what."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.people.model import Person, Proposal, Session, StaffRole
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
"""Wrong passwords in a row that are forgiven."""

WAIT_FIRST = timedelta(seconds=30)
WAIT_MAX = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
"""Wrong passwords count no more when there was none for so long."""

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


def wait_after(failures: int) -> timedelta | None:
    """How long to wait after so many wrong passwords in a row."""
    if failures < TRIES:
        return None
    return min(WAIT_MAX, WAIT_FIRST * (1 << min(failures - TRIES, 10)))


def wrong() -> Refused:
    """The one answer to a wrong password, an unknown login, and a person who is off."""
    return Refused(
        "sign-in-refused",
        "Login and password do not belong together. Check both; an administrator can set a new "
        "password.",
    )


def waits(until: Instant, now: Instant) -> TryLater:
    """The answer while there were too many wrong ones."""
    seconds = max(1, int((until - now).total_seconds()))
    return TryLater(
        "sign-in-waits",
        f"There were too many wrong passwords for this login. Try again in {seconds} seconds.",
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
