"""People, their sessions, what they did, and what two of them decide together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Literal
from zoneinfo import available_timezones

from hansa.foundation.documents import Json
from hansa.foundation.errors import HansaError
from hansa.foundation.ids import PartyId, PersonId, ProposalId, SessionId
from hansa.foundation.states import StateGraph
from hansa.foundation.time import Instant

IDLE = timedelta(minutes=30)
"""How long a session lasts of which nothing is seen."""

LIFETIME = timedelta(hours=12)
"""How long a session lasts at most."""

SEEN_EVERY = timedelta(minutes=1)
"""How often it is written down at most that a session was seen."""

SESSION_KEPT = timedelta(days=30)
"""How long after its end a session's token is still told from one that never was."""

BROWSER_KEPT = timedelta(days=90)
"""How long after a sign-in with a password its browser is known as that person's."""

BROWSER_EACH = 10
"""How many browsers of one person are known; the oldest make room."""

PARKED_KEPT = timedelta(days=1)
"""How long a form waits for the person who filled it in."""

PARKED_MAX = 256 * 1024
"""Octets of the JSON of one form that waits."""

PARKED_EACH = 10
"""How many forms of one person wait; the oldest make room."""

TRAIL_MAX = 1000
"""Entries or proposals that are given at once."""


class StaffRole(StrEnum):
    """What a person may do. approver: agrees to what another proposed. admin: enters people.
    customer: sees what its own party has, and is none of our staff.
    """

    SALES = "sales"
    OPERATIONS = "operations"
    FINANCE = "finance"
    APPROVER = "approver"
    ADMIN = "admin"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Person:
    """login: what the person signs in with and is called in the audit log; never changes.

    party: for whom a customer's person comes; None for our own staff. language: as `pt-BR`.
    roles: none when the identity provider does not say any more what the person is.
    """

    id: PersonId
    login: str
    name: str
    roles: frozenset[StaffRole]
    party: PartyId | None = None
    language: str = "en"
    active: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom an identity provider knows a person: `iss` and `sub` of its tokens."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that a person has signed in with. ends_at: the latest moment it may last to."""

    id: SessionId
    person: PersonId
    begun_at: Instant
    seen_at: Instant
    ends_at: Instant
    agent: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """token: for the browser alone; it is shown this once and kept nowhere. known: the same for
    what the browser shows at its next sign-in; empty where no password was typed.
    """

    person: Person
    session: Session
    token: str
    known: str = ""

    def __repr__(self) -> str:
        return f"SignedIn({self.person!r}, {self.session!r})"


@dataclass(frozen=True, slots=True)
class Denied:
    """Nobody came in. Raise the error once what was written of it is committed."""

    error: HansaError


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong passwords that are not forgotten yet: of a login from a place; "" is any.

    forgotten_at: when the last of them will be. waits_until: set once there were too many.
    """

    login: str
    place: str
    forgotten_at: Instant
    waits_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The session of a request, and who it is, as they are now."""

    session: Session
    person: Person


@dataclass(frozen=True, slots=True)
class Expired:
    """The token was that person's once. why: nothing was seen of it for too long; it has lasted as
    long as a session may; it was ended.
    """

    session: Session
    person: Person
    why: Literal["idle", "age", "ended"]


@dataclass(frozen=True, slots=True)
class Parked:
    """What was typed into a form whose session had ended. path: where it was posted to."""

    id: str
    path: str
    fields: Json
    parked_at: Instant


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """who: a login, or `console:` and the user of the machine. roles: as they were then.

    action: kebab-case, what was done. subject: what it was done to, by its id.
    """

    number: int
    at: Instant
    who: str
    roles: tuple[StaffRole, ...]
    action: str
    subject: str
    why: str
    details: Json


class ProposalState(StrEnum):
    """withdrawn: by who made it."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


_DECIDED = frozenset({ProposalState.APPROVED, ProposalState.REJECTED, ProposalState.WITHDRAWN})
PROPOSAL_STATES = StateGraph(
    thing="proposal",
    start=ProposalState.OPEN,
    moves={ProposalState.OPEN: _DECIDED, **{state: frozenset() for state in _DECIDED}},
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one person wants, and another has to agree to before it is done.

    kind: what is to be done; content: with what. subject: to what, by its id. fingerprint: of
    kind, subject and content. maker, checker: logins, never the same.
    """

    id: ProposalId
    kind: str
    subject: str
    content: Mapping[str, Json]
    fingerprint: str
    why: str
    maker: str
    made_at: Instant
    state: ProposalState = ProposalState.OPEN
    checker: str | None = None
    checked_at: Instant | None = None
    checker_why: str = ""


# --- how a portal is set up ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Brand:
    """How the operator looks to its customers.

    name: empty is the operator's. colour: of buttons and marks, `#rrggbb`. logo: a PNG, WebP or
    SVG file in the data folder; empty shows the name. language: where a browser asks for none
    that we speak.
    """

    name: str = ""
    colour: str = "#1d4ed8"
    logo: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """An OpenID Connect provider (OpenID Connect Core 1.0; code flow with PKCE, RFC 7636).

    issuer: empty has people sign in with a password. secret_file: in the data folder, readable by
    its owner only; empty for a public client. roles_claim, party_claim: where an id token says what
    somebody may do and, of a customer's people, for whom. roles: from the provider's names to ours.
    """

    issuer: str = ""
    client_id: str = ""
    secret_file: str = ""
    roles_claim: str = "roles"
    party_claim: str = "party"
    roles: Mapping[str, str] = field(default_factory=dict)
    passwords_too: bool = False


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """port: 0 serves no portal. address: as browsers reach it; empty: host and port, without TLS,
    which a proxy ends. proxies: addresses and networks from which it is believed for whom a
    request is passed on. time_zone: in which times are shown, a name of the tz database.
    map_tiles: the operator's own raster tiles under the places of a map, as
    `https://host/{z}/{x}/{y}.png`; empty shows countries alone. map_attribution: whose they are.
    """

    port: int = 0
    host: str = "127.0.0.1"
    address: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    time_zone: str = "UTC"
    idle_min: int = IDLE // timedelta(minutes=1)
    longest_h: int = LIFETIME // timedelta(hours=1)
    upload_max_mb: int = 8
    map_tiles: str = ""
    map_attribution: str = ""
    brand: Brand = Brand()
    provider: ProviderSettings = field(default_factory=ProviderSettings)

    def __post_init__(self) -> None:
        if self.time_zone not in available_timezones():
            raise ValueError(f"{self.time_zone!r} is not in the tz database")
        for proxy in self.proxies:
            ip_network(proxy)
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"{self.port} is no port")
        if self.idle_min < 1 or self.longest_h < 1 or self.upload_max_mb < 1:
            raise ValueError("a session and an upload have at least 1 of their unit")
        if self.map_tiles and not _are_tiles(self.map_tiles):
            raise ValueError(
                f"map_tiles {self.map_tiles!r} is no address of tiles: write it as "
                "https://host/{z}/{x}/{y}.png, or as a path of the portal's own host; plain http "
                "is for this machine alone"
            )

    @property
    def idle(self) -> timedelta:
        """How long a session lasts of which nothing is seen."""
        return timedelta(minutes=self.idle_min)

    @property
    def lifetime(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self.longest_h)

    @property
    def url(self) -> str:
        """The portal's own address, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.address or f"http://{host}:{self.port}").rstrip("/")

    @property
    def is_https(self) -> bool:
        return self.url.startswith("https:")

    @property
    def tiles_from(self) -> str:
        """The origin of the tiles, where it is not the portal's own; else nothing."""
        found = _TILES.fullmatch(self.map_tiles)
        return (found["origin"] or "") if found else ""


_TILES = re.compile(
    r"(?P<origin>https://[a-z0-9.-]+(:[0-9]+)?"
    r"|http://(localhost|127(\.[0-9]+){3}|\[::1\])(:[0-9]+)?)?"
    r"(?P<path>/(?!/)[A-Za-z0-9._~%/?&=@:+{}-]+)",
    re.ASCII,
)
"""In these characters alone, since the origin stands in the pages' policy."""


def _are_tiles(text: str) -> bool:
    """Whether this is an address of raster tiles by zoom, column and row, and of nothing else."""
    found = _TILES.fullmatch(text)
    return found is not None and sorted(re.findall(r"\{.*?\}|[{}]", found["path"])) == [
        "{x}",
        "{y}",
        "{z}",
    ]
