"""The one place where things are built and joined. Nothing is made at import.

A node is one operator: a data folder with its settings and key, a database, its drivers, and
its view of every seller. Doors (`hansa.entrypoints`) get a Node and nothing else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Literal

from hansa.drivers import registry
from hansa.drivers.model import NetworkSettings
from hansa.drivers.watching import Watch
from hansa.federation import directory, notices, renewal
from hansa.federation.bulk import BulkSeller
from hansa.federation.callbacks.desk import CallbackDesk
from hansa.federation.clients.desk import ClientDesk
from hansa.federation.clients.model import ACCESS_TOKEN
from hansa.federation.contract import Seller
from hansa.federation.evidence import actions as evidence
from hansa.federation.exchange import Gate
from hansa.federation.helpdesk import Helpdesk
from hansa.federation.hub import sending
from hansa.federation.hub import work as hub_work
from hansa.federation.keys.ring import KeyRing
from hansa.federation.keys.signatures import WINDOW_S
from hansa.federation.keys.vouching import Voucher
from hansa.federation.listener import Distant, Listener
from hansa.federation.neighbours import Connect, Neighbours
from hansa.federation.papers import CardRenewed
from hansa.federation.shelf import Shelf
from hansa.federation.sonata import hub as events
from hansa.federation.sonata.desk import Desk
from hansa.federation.sonata.settings import SonataSettings
from hansa.federation.tmf import server as tmf
from hansa.federation.tmf.engine import telling
from hansa.federation.tmf.engine.model import World
from hansa.foundation import documents, embedded, migrations
from hansa.foundation.database import Database, Wakeups
from hansa.foundation.errors import Refused
from hansa.foundation.ids import Ids, PartyId
from hansa.foundation.party import Actor, Party
from hansa.foundation.people.model import PortalSettings
from hansa.foundation.plan.engine import Crew, Engine
from hansa.foundation.plan.model import CHANNEL, LEASE_LOCKS, Handlers
from hansa.foundation.time import Clock, Instant, ShiftedClock, SystemClock
from hansa.foundation.transaction import Begin, Transaction
from hansa.ledger import actions as ledger
from hansa.lifecycle.assurance import work as assurance_work
from hansa.lifecycle.billing import work as billing_work
from hansa.lifecycle.clearing import work as clearing_work
from hansa.lifecycle.delivery import work as delivery_work
from hansa.lifecycle.rating import work as rating_work
from hansa.lifecycle.settlement import work as settlement_work
from hansa.lifecycle.usage import work as usage_work
from hansa.lifecycle.usage.model import UsageSettings
from hansa.own_network import OwnNetwork
from hansa.storefront.seller import Storefront
from hansa.storefront.shelves import Shelves

HERE = Path(__file__).parent
ROOMS = (
    "foundation",
    "foundation/plan",
    "foundation/people",
    "ledger",
    "federation",
    "federation/clients",
    "federation/callbacks",
    "federation/records",
    "federation/hub",
    "drivers",
    "lifecycle/agreement",
    "lifecycle/catalogue",
    "lifecycle/inventory",
    "lifecycle/qualification",
    "lifecycle/quote",
    "lifecycle/order",
    "lifecycle/assurance",
    "lifecycle/usage",
    "lifecycle/rating",
    "lifecycle/billing",
    "lifecycle/settlement",
    "lifecycle/clearing",
)
SCHEMAS: tuple[tuple[str, Path], ...] = tuple(
    (room.replace("/", "."), HERE / room / "schema") for room in ROOMS
)
"""Every room's numbered SQL files, in the order in which they build on each other."""

SETTINGS = "node.toml"
DATABASE = "hansa"
DATABASE_FOLDER = "database"
"""Where, in a node's folder, its embedded server keeps the database."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """host, port: where this node listens. address: how partners reach it. signature_window_s:
    how far from now a partner's message may have been signed.

    tls: `mutual` serves TLS 1.3 and asks callers for a certificate; `off` leaves it to a proxy.
    """

    port: int
    host: str = "127.0.0.1"
    address: str = ""
    tls: Literal["mutual", "off"] = "mutual"
    signature_window_s: int = WINDOW_S


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """url: a PostgreSQL 18 server of yours; empty runs an embedded one in the data folder.
    owner_url: the same for who brings its tables up to date; empty: url's user does.
    """

    url: str = ""
    owner_url: str = ""


@dataclass(frozen=True, slots=True)
class SettlementSettings:
    """auto_confirm: confirm a partner's statement unasked when not one line differs.
    auto_net: sign a plan of netting among many unasked when our part of it is right.
    """

    auto_confirm: bool = False
    auto_net: bool = False


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """shift_file: a file with seconds to add to the machine's clock; for demonstrations only."""

    shift_file: str = ""


@dataclass(frozen=True, slots=True)
class KeysSettings:
    """overlap_days: how long a key that was replaced is good beside the one that follows it."""

    overlap_days: int = 7


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """threads: how many tasks one worker process runs at a time."""

    threads: int = 3


@dataclass(frozen=True, slots=True)
class LimitsSettings:
    """What one caller may ask of one API process, and where notices are sent and how long.

    requests_per_s: in the long run; burst: at once after a rest; at_once: being worked on.
    private_callbacks: take callbacks at addresses of this machine and of private networks.
    foreign_notice_h: for how long a partner of another make is told that does not answer.
    """

    requests_per_s: float = 500.0
    burst: int = 1000
    at_once: int = 16
    private_callbacks: bool = False
    foreign_notice_h: int = 72


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in `node.toml`; docs/settings.md describes every key."""

    party: Party
    http: HttpSettings
    database: DatabaseSettings = DatabaseSettings()
    network: NetworkSettings = field(default_factory=NetworkSettings)
    settlement: SettlementSettings = SettlementSettings()
    clock: ClockSettings = ClockSettings()
    keys: KeysSettings = KeysSettings()
    usage: UsageSettings = field(default_factory=UsageSettings)
    worker: WorkerSettings = WorkerSettings()
    limits: LimitsSettings = LimitsSettings()
    sonata: SonataSettings = field(default_factory=SonataSettings)
    portal: PortalSettings = field(default_factory=PortalSettings)
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def address(self) -> str:
        """How partners reach this node: a URL without a path."""
        scheme = "http" if self.http.tls == "off" else "https"
        host = f"[{self.http.host}]" if ":" in self.http.host else self.http.host
        return self.http.address or f"{scheme}://{host}:{self.http.port}"


def load_settings(folder: Path) -> Settings:
    """The settings of the node in this folder.

    Raises Refused `node-missing` when there is none, `settings-invalid` naming the key.
    """
    path = folder / SETTINGS
    try:
        text = path.read_text("utf-8")
    except OSError:
        raise Refused(
            "node-missing",
            f"There is no node in {folder}; make one with `hansa node init`.",
            field="node",
        ) from None
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused("settings-invalid", f"{path}: {error}.", field="node.toml") from None
    try:
        settings = documents.read(Settings, value, what=str(path))
    except Refused as refusal:
        raise Refused("settings-invalid", refusal.words, field=refusal.field) from None
    check_tls(settings)
    return settings


def check_tls(settings: Settings) -> None:
    """Raises Refused `settings-invalid` when TLS is served and the address is not one of TLS."""
    if settings.http.tls == "mutual" and not settings.address.startswith("https://"):
        raise Refused(
            "settings-invalid",
            f"The address {settings.address} is not https. Make it so, or set http.tls to off "
            "and have a proxy of yours end TLS.",
            field="http.address",
        )


@dataclass(frozen=True, slots=True)
class Seat:
    """What one actor finds at our door: see each promise."""

    seller: Seller
    listener: Listener
    helpdesk: Helpdesk
    shelf: Shelf
    bulk: BulkSeller


class Node:
    """One operator's node, joined and ready. Open it before use and close it after.

    folder: the data folder. database_url: where the node's database is.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        folder: Path,
        database_url: str,
        clock: Clock | None = None,
        ids: Ids | None = None,
        connect: Connect | None = None,
        connections_max: int = 12,
        deliver: hub_work.Deliver | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.us = settings.party
        self.clock: Clock = clock or _clock(settings)
        self.ids = ids or Ids(self.clock)
        self.keys = KeyRing.load_or_create(folder, now=self.clock.now())
        if settings.address.startswith("https://"):
            self.keys.have_certificate(
                party=self.us.id, address=settings.address, now=self.clock.now()
            )
        self.database = Database(database_url, connections_max=connections_max)
        self.begin = self.database.begin
        self.usage_folder = folder / "usage"
        self.kit = registry.load(
            settings.network, folder=folder / "network", operator=settings.party.id
        )
        self.own_network = OwnNetwork(
            begin=self.begin, kit=self.kit, ids=self.ids, clock=self.clock, us=self.us
        )
        self.neighbours = Neighbours(
            us=self.us.id,
            keys=self.keys,
            begin=self.database.at_once,
            clock=self.clock,
            nonce=self.ids.trace,
            window_s=settings.http.signature_window_s,
            folder=folder,
            connect=connect,
            sonata=settings.sonata,
        )
        self.clients = ClientDesk(
            us=self.us.id,
            begin=self.begin,
            clock=self.clock,
            mint=lambda now: partial(self.keys.current(now).token, typ=ACCESS_TOKEN),
            keys=self.keys.public_keys,
        )
        plain, limits = settings.address.startswith("http:"), settings.limits
        self.callbacks = CallbackDesk(self.begin, plain=plain, private=limits.private_callbacks)
        self.world = World(
            seat=self.seat,
            begin_for=self.begin_for,
            ids=self.ids,
            clock=self.clock,
            address=settings.address.rstrip("/"),
            new_trace=self.ids.trace,
            callback_allowed=self.callbacks.check,
        )
        self.sonata = Desk(self.us.id, self.world, settings.sonata, self.neighbours.partner, folder)
        self._sender = sending.Sender(self.callbacks.find)
        self.handlers = self._handlers(deliver or self._sender)

    def _handlers(self, deliver: hub_work.Deliver) -> Handlers:
        """Who does which kind of task."""
        us, ids, begin = self.us.id, self.ids, self.begin
        late, vouch = self.settings.usage.late, Voucher(us, self.neighbours.key)
        return {
            **notices.handlers(self.listener, foreign_h=self.settings.limits.foreign_notice_h),
            **hub_work.handlers(
                begin=begin,
                compose={**telling.composers(self.world, tmf.APIS), **events.composers(us)},
                deliver=deliver,
            ),
            **delivery_work.handlers(us=us, begin=begin, sellers=self.seller, ids=ids, vouch=vouch),
            **assurance_work.handlers(us=us, begin=begin, helpdesks=self.helpdesk, ids=ids),
            **usage_work.handlers(us=us, sellers=self.seller, folder=self.usage_folder, late=late),
            **rating_work.handlers(us=us, begin=begin, folder=self.folder, clock=self.clock),
        }

    def open(self) -> None:
        """Connects to the database, which must be running."""
        self.database.open()

    def close(self) -> None:
        self.neighbours.close()
        self._sender.close()
        self.database.close()

    # --- whom we trade with ---------------------------------------------------------------------

    def seller(self, party: PartyId) -> Seller:
        """Our own network for our own name, else that partner over the wire."""
        return self.own_network if party == self.us.id else self.neighbours.partner(party)

    def helpdesk(self, party: PartyId) -> Helpdesk:
        """That partner, to report what is wrong with what we have from it."""
        return self.neighbours.partner(party)

    def listener(self, party: PartyId) -> Distant:
        """That partner, to be told something."""
        return self.neighbours.listener(party)

    def begin_for(self, actor: Actor) -> Begin:
        """How transactions are opened for what this actor asks: it finds its own rows alone."""
        return self.database.begin_for(actor, us=self.us.id)

    def seat(self, actor: Actor) -> Seat:
        """What this actor may buy from us and tell us."""
        front = self.storefront(actor)
        shelf = Shelves(
            us=self.us.id,
            actor=actor,
            front=front,
            begin=self.begin_for(actor),
            ids=self.ids,
            clock=self.clock,
            usage_folder=self.usage_folder,
        )
        return Seat(seller=front, listener=front, helpdesk=front, shelf=shelf, bulk=front)

    def storefront(self, actor: Actor) -> Storefront:
        """This node as a Seller, and as a Listener, to this actor."""
        return Storefront(
            us=self.us,
            actor=actor,
            begin=self.begin_for(actor),
            sellers=self.seller,
            ids=self.ids,
            clock=self.clock,
            usage_folder=self.usage_folder,
            hear_card=self._hear_card,
        )

    def _hear_card(self, sender: PartyId, notice: CardRenewed) -> None:
        with self.begin() as tx:
            directory.hear_card(tx, sender=sender, notice=notice, now=self.clock.now())

    @property
    def gate(self) -> Gate:
        """Who may come in, and what leaves."""
        return self.neighbours.gate(address=self.settings.address, bearer=self.clients.gate())

    # --- TLS --------------------------------------------------------------------------------------

    def trust_changes(self) -> Wakeups:
        """Tells when partners or their certificates are others than before."""
        return Wakeups(self.database.url, directory.CHANNEL)

    # --- work -----------------------------------------------------------------------------------

    def engine(self, *, owner: int = 0, crew: Crew | None = None) -> Engine:
        """Runs this node's tasks; owner, crew: see `hansa.foundation.plan.engine`."""
        begin = self.begin if crew is None else self.database.begin_work
        return Engine(begin, self.handlers, self.clock, owner=owner, crew=crew)

    def deliver(self, tx: Transaction, now: Instant) -> int:
        """Begins with accepted orders; returns how many."""
        return delivery_work.begin_orders(tx, us=self.us.id, ids=self.ids, now=now)

    def watch(self) -> Watch:
        """What looks after the services of our own network."""
        kept = self.settings.network.measured_days
        return Watch(begin=self.begin, kit=self.kit, clock=self.clock, kept_days=kept)

    def renew_cards(self, tx: Transaction, now: Instant) -> int:
        """Tells partners of new keys of ours; returns how many were told."""
        at = self.settings.address, self.settings.sonata.spoken_to_us
        return renewal.run(tx, us=self.us, at=at, ring=self.keys, ids=self.ids, now=now)

    def settle(self, tx: Transaction, now: Instant) -> int:
        """States, compares and shares; returns how many things moved."""
        auto, us, keys = self.settings.settlement.auto_confirm, self.us, self.keys
        return settlement_work.run(tx, us=us, keys=keys, ids=self.ids, auto_confirm=auto, now=now)

    def clear(self, tx: Transaction, now: Instant) -> int:
        """Goes on with netting among many; returns how many things moved."""
        auto, us = self.settings.settlement.auto_net, self.us
        return clearing_work.run(tx, us=us, keys=self.keys, ids=self.ids, auto_net=auto, now=now)

    def month_rooms(self) -> Iterator[tuple[str, Callable[[Transaction, Instant], int]]]:
        """The rooms that work as time goes by, in path order: name and one bounded turn."""
        us, ids, folder = self.us.id, self.ids, self.usage_folder
        yield "federation", self.renew_cards
        yield "evidence", lambda tx, now: evidence.expire(tx, now=now)
        yield "ledger", lambda tx, now: len(ledger.expire_holds(tx, now=now))
        yield "assurance", lambda tx, now: assurance_work.run(tx, ids=ids, now=now)
        yield "usage", lambda tx, now: usage_work.run(tx, us=us, ids=ids, now=now)
        yield "rating", lambda tx, now: rating_work.run(tx, us=us, ids=ids, now=now, folder=folder)
        yield "billing", lambda tx, now: billing_work.run(tx, us=us, ids=ids, now=now)
        yield "settlement", self.settle
        yield "clearing", self.clear

    def work_once(self) -> int:
        """Does what is due until nothing moves; how many turns and tasks it took. For tests."""
        rooms = [None, self.deliver, *(room for _, room in self.month_rooms())]
        moved = still = 0
        for room in cycle(rooms):
            if room is None:
                taken = self.engine().run_until_idle()
            else:
                with self.begin() as tx:
                    taken = room(tx, self.clock.now())
            moved, still = moved + taken, 0 if taken else still + 1
            if still == len(rooms):
                break
        return moved

    @contextmanager
    def wakeups(self, owner: int) -> Iterator[Wakeups]:
        """Tells a worker when there may be something to do, and shows that it lives."""
        with Wakeups(self.database.url, CHANNEL, lock=(LEASE_LOCKS, owner)) as wakeups:
            yield wakeups


def _clock(settings: Settings) -> Clock:
    path = settings.clock.shift_file
    return ShiftedClock(Path(path)) if path else SystemClock()


def database_url(settings: Settings, folder: Path) -> str:
    """The database of a node that runs: the given server, or the embedded one in its folder."""
    return settings.database.url or embedded.address(folder / DATABASE_FOLDER, DATABASE)


def migrate(url: str, *, progress: migrations.Progress | None = None) -> None:
    """Brings a database to this version's tables."""
    migrations.migrate(url, SCHEMAS, progress=progress)


def open_node(folder: Path) -> Node:
    """The node in this folder, which must be running, for a command or a process of its own."""
    settings = load_settings(folder)
    node = Node(settings, folder=folder, database_url=database_url(settings, folder))
    node.open()
    return node
