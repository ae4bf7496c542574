"""What may be asked and done about where notices go."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from hansa.federation import directory
from hansa.federation.callbacks import rules, store
from hansa.federation.callbacks.model import CallbackHost, Place, Resolve
from hansa.foundation.errors import NotFound, Refused, TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Actor
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction


def add(tx: Transaction, *, party: PartyId, host: str, by: str, now: Instant) -> None:
    """Lets a party name this host in its callbacks. Raises Refused `callback-refused`."""
    store.insert(tx, party, _host(host), by, now)


def remove(tx: Transaction, *, party: PartyId, host: str) -> None:
    """From now on nothing is sent there any more. Raises NotFound `callback-host-unknown`."""
    if not store.delete(tx, party, _host(host)):
        raise NotFound(
            "callback-host-unknown", f"{host} is no callback host of {party}.", field="host"
        )


def hosts(tx: Transaction, *, party: PartyId) -> Sequence[CallbackHost]:
    """The hosts that were added for a party, by name."""
    return store.hosts(tx, party)


def check(begin: Begin, *, actor: Actor, callback: str, plain: bool, private: bool) -> None:
    """Whether this actor may have notices sent there, as far as can be told without resolving.

    plain: http is taken beside https. private: see `rules.place`. Raises Refused
    `callback-refused`.
    """
    parts = rules.split(callback, plain=plain)
    host = rules.host_of(parts.hostname or "")
    rules.check_registered(host, _registered(begin, actor))
    if _is_address(host):
        rules.place(parts, [host], private=private)


def find(
    begin: Begin,
    *,
    actor: Actor,
    callback: str,
    plain: bool,
    private: bool,
    resolve: Resolve | None = None,
) -> Place:
    """Where a notice for this callback goes now: its host is resolved once, and here.

    Raises Refused `callback-refused` as `check` does, and for a host at a private address;
    TryLater `callback-silent` for one that has no address.
    """
    parts = rules.split(callback, plain=plain)
    host = rules.host_of(parts.hostname or "")
    rules.check_registered(host, _registered(begin, actor))
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = (resolve or resolved)(host, port)
    except OSError:
        addresses = []
    if not addresses:
        raise TryLater("callback-silent", f"{host} has no address; the notice is sent later.")
    return rules.place(parts, addresses, private=private)


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine resolves its name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _registered(begin: Begin, actor: Actor) -> frozenset[str]:
    """The host on a partner's card, and whatever was added for the party."""
    with begin() as tx:
        found = {one.host for one in store.hosts(tx, actor.party)}
        if actor.role == "partner":
            found.add(_on_card(tx, actor.party))
    return frozenset(found)


def _on_card(tx: Transaction, party: PartyId) -> str:
    """Raises TryLater `partner-revoked`: what is for it waits for people to decide."""
    try:
        card = directory.trusted(tx, party=party).address
    except NotFound:
        raise rules.refused(f"{party} is no partner of this operator") from None
    return rules.host_of(urlsplit(card).hostname or "")


def _host(text: str) -> str:
    try:
        return rules.host_of(text)
    except ValueError:
        raise Refused(
            "callback-refused",
            f"{text!r} is no host: write a name or an address, without scheme and port.",
            field="host",
        ) from None


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
