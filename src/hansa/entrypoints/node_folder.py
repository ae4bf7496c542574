"""A node's data folder: how it is made, and where things are in it."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path

from hansa.federation import directory
from hansa.federation.keys import certificates
from hansa.federation.keys.ring import KeyRing
from hansa.foundation import documents
from hansa.foundation.documents import Json
from hansa.foundation.errors import Refused
from hansa.foundation.party import party_id
from hansa.foundation.time import Instant
from hansa.node import SETTINGS, HttpSettings, Settings, check_tls

HEAD = "# The settings of this node. Every key is described in docs/settings.md.\n"


def create(folder: Path, settings: Settings, *, now: Instant) -> KeyRing:
    """Makes a node's folder with its settings and a new key; nothing is started.

    Raises Refused, with nothing written: `node-exists`, `settings-invalid`, `party-name`,
    `currency-unknown`, and `card-invalid` for what a partner would not take on our card.
    """
    _check(settings)
    path = folder / SETTINGS
    if path.exists():
        raise _exists(folder)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    keys = KeyRing.load_or_create(folder, now=now)
    if settings.address.startswith("https://"):
        keys.have_certificate(party=settings.party.id, address=settings.address, now=now)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _exists(folder) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(settings_text(settings))
    return keys


def own_context(folder: Path) -> ssl.SSLContext:
    """For whoever calls the node in this folder as its own operator: its certificates are trusted.

    Raises Refused `key-unreadable`, `key-exposed`.
    """
    keys = KeyRing.load_or_create(folder)
    pairs = [keys.pair(one) for one in keys.generations("tls")]
    return certificates.client_context(None, [pair.der for pair in pairs])


def settings_text(settings: Settings) -> str:
    """The settings as `node.toml` holds them: what was chosen, and nothing that goes by default."""
    usual = Settings(party=settings.party, http=HttpSettings(port=0))
    chosen = _without(documents.write(settings), documents.write(usual))
    return HEAD + "".join(_tables({"party": documents.write(settings.party), **chosen}, ""))


def _without(value: dict[str, Json], usual: dict[str, Json]) -> dict[str, Json]:
    kept: dict[str, Json] = {}
    for key, one in value.items():
        if one == usual.get(key):
            continue
        inner = isinstance(one, dict) and isinstance(usual.get(key), dict)
        kept[key] = _without(one, usual[key]) if inner else one
    return kept


def _tables(value: dict[str, Json], name: str) -> list[str]:
    """A table of TOML: its own keys first, then the tables within it."""
    own = [f"{key} = {json.dumps(one, ensure_ascii=False)}\n" for key, one in _plain(value)]
    head = [f"\n[{name}]\n"] if name and own else []
    inner = [(key, one) for key, one in value.items() if isinstance(one, dict)]
    dot = f"{name}." if name else ""
    return [*head, *own, *(line for key, one in inner for line in _tables(one, f"{dot}{key}"))]


def _plain(value: dict[str, Json]) -> list[tuple[str, Json]]:
    return [(key, one) for key, one in value.items() if not isinstance(one, dict)]


def _check(settings: Settings) -> None:
    party_id(settings.party.id)
    if not 1 <= settings.http.port <= 65_535:
        raise Refused(
            "settings-invalid",
            f"{settings.http.port} is no port; choose one from 1 to 65535.",
            field="http.port",
        )
    if settings.database.url and "://" not in settings.database.url:
        raise Refused(
            "settings-invalid",
            "Give the database as postgresql://user:password@host:port/name.",
            field="database.url",
        )
    directory.check(party=settings.party, address=settings.address)
    check_tls(settings)
    if settings.keys.overlap_days < 0:
        raise Refused(
            "settings-invalid",
            "A key cannot overlap for less than no days.",
            field="keys.overlap_days",
        )


def _exists(folder: Path) -> Refused:
    return Refused(
        "node-exists",
        f"There is a node in {folder} already; choose another folder. Nothing was changed.",
        field="node",
    )
