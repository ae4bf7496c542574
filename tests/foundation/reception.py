"""People at the door of one node's portal: they sign in, and come back with their token."""

from __future__ import annotations

from hansa.foundation.database import Database
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.people.actions import persons, sessions
from hansa.foundation.people.model import (
    Denied,
    Expired,
    Identity,
    Person,
    Seen,
    SignedIn,
    StaffRole,
)
from hansa.foundation.time import SetClock
from tests.conftest import seeded_entropy

PASSWORD = "horses carry letters"
WRONG = "letters carry horses"
HOME = "192.0.2.7"
SALES, FINANCE = frozenset({StaffRole.SALES}), frozenset({StaffRole.FINANCE})
KEYCLOAK = Identity("https://id.example/realms/acme", "f:1:grace")


class Desk:
    """People at one node's portal."""

    def __init__(self, database: Database, clock: SetClock, ids: Ids) -> None:
        self.begin = database.begin
        self.clock = clock
        self.ids = ids
        self.entropy = seeded_entropy(b"people")

    def enter(self, login: str = "ada", password: str | None = PASSWORD) -> Person:
        with self.begin() as tx:
            return persons.enter(
                tx, login=login, name="Ada Lovelace", roles=SALES, password=password,
                ids=self.ids, now=self.clock.now(),
            )  # fmt: skip

    def sign_in(
        self, login: str = "ada", password: str = PASSWORD, *, address: str = HOME, known: str = ""
    ) -> SignedIn | Denied:
        with self.begin() as tx:
            return sessions.sign_in(
                tx, login=login, password=password, address=address, known=known, agent="Firefox",
                ids=self.ids, now=self.clock.now(),
            )  # fmt: skip

    def signed_in(
        self, login: str = "ada", password: str = PASSWORD, *, address: str = HOME, known: str = ""
    ) -> SignedIn:
        found = self.sign_in(login, password, address=address, known=known)
        assert isinstance(found, SignedIn), found
        return found

    def denied(
        self, login: str = "ada", password: str = WRONG, *, address: str = HOME, known: str = ""
    ) -> str:
        """The reason why nobody comes in, and after how many seconds it is worth another try."""
        found = self.sign_in(login, password, address=address, known=known)
        assert isinstance(found, Denied), found
        after = found.error.after_s if isinstance(found.error, TryLater) else None
        return found.error.code + (f" {after:.0f}" if after else "")

    def come(self, *roles: str, login: str = "grace", party: str = "") -> SignedIn | Denied:
        """By the identity provider."""
        with self.begin() as tx:
            return sessions.sign_in_known(
                tx, identity=KEYCLOAK, login=login, name="Grace Hopper", roles=roles,
                party=PartyId(party) if party else None, agent="Firefox", ids=self.ids,
                now=self.clock.now(),
            )  # fmt: skip

    def look(self, token: str) -> Seen | Expired | None:
        with self.begin() as tx:
            return sessions.session(tx, token=token, now=self.clock.now())

    def why(self, token: str) -> str:
        """Why a session is over; nothing while it lasts."""
        found = self.look(token)
        assert found is not None
        return found.why if isinstance(found, Expired) else ""
