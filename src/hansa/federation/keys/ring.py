"""This node's keys, and what is signed with them. No private key ever leaves its file.

The ring holds generations of two kinds: Ed25519 keys (RFC 8032) that sign papers, tokens,
requests and cards, and the key pairs of TLS connections. They are apart, so that a proxy that
ends TLS need not hold what signs papers.
"""

from __future__ import annotations

import binascii
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hansa.federation.keys import certificates
from hansa.federation.papers import Signature
from hansa.foundation import disk, documents
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant

FOLDER = "keys"
RING = "ring.json"
"""In the folder of keys: which there are and from when to when, no secrets. Each change replaces
it whole, so that whoever reads it finds what was before or what is after."""

FORMER_FILE = "node.key"
"""Where a node had its one key before it had a ring; it becomes the first of the ring."""

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""The beginning of a key of which it is not known when it was made."""

Kind = Literal["signing", "tls"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One key of ours. id: of a signing key, see key_id; of a TLS key, its certificate's.

    edition: of our card, the first on which this key stands. used_from: when it takes over from
    the one before it; brought forward once all partners have heard. valid_to: until when partners
    take it, None while it is not replaced.
    """

    kind: Kind
    id: str
    edition: int
    made_at: Instant
    used_from: Instant
    valid_to: Instant | None = None


@dataclass(frozen=True, slots=True)
class _Ring:
    generations: tuple[Generation, ...]


class SigningKey:
    """One of our Ed25519 keys. public: 32 octets in base64, as it stands on our card."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = b64encode(raw).decode()
        self.kid = key_id(self.public)

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"

    def sign(self, content: bytes) -> bytes:
        """The 64 octets of a signature."""
        return self._private.sign(content)

    def token(self, claims: Mapping[str, str | int], *, typ: str = "JWT") -> str:
        """A JSON Web Token of these claims, signed with EdDSA (RFC 8037). typ: what it is for."""
        headers = {"kid": self.kid, "typ": typ}
        return jwt.encode(dict(claims), self._private, algorithm="EdDSA", headers=headers)


class KeyRing:
    """All keys of this node. What another process changes is seen at the next use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] = (0, 0)
        self._generations: tuple[Generation, ...] = ()
        self._loaded: dict[str, SigningKey] = {}

    @classmethod
    def load_or_create(cls, folder: Path, *, now: Instant = EVER) -> KeyRing:
        """The ring in a node's folder, made at the first call; several processes may call at once.

        Raises Refused `key-exposed` when others may read a key's file, `key-unreadable` when it
        holds none.
        """
        if not (folder / FOLDER).exists():
            _create(folder, now)
        ring = cls(folder / FOLDER)
        for one in ring.generations("signing"):
            ring._key(one)
        return ring

    def __repr__(self) -> str:
        return f"KeyRing({[one.id for one in self._generations]})"

    # --- what there is ------------------------------------------------------------------------

    def generations(self, kind: Kind | None = None) -> Sequence[Generation]:
        """Every key of a kind, or of both, the oldest first."""
        path = self._folder / RING
        try:
            seen = path.stat()
            stamp = (seen.st_mtime_ns, seen.st_ino)
            if stamp != self._stamp:
                found = documents.read(_Ring, json.loads(path.read_text("utf-8")), what=str(path))
                self._generations, self._stamp = found.generations, stamp
        except (OSError, ValueError, Refused):
            raise _unreadable(path) from None
        return [one for one in self._generations if kind in (None, one.kind)]

    @property
    def edition(self) -> int:
        """How often our card has changed by a new key, 1 at first."""
        return max(one.edition for one in self.generations())

    @property
    def public(self) -> str:
        """The newest public key."""
        return self._key(self.generations("signing")[-1]).public

    def current(self, now: Instant) -> SigningKey:
        """The key that signs papers at this moment."""
        return self._key(_newest(self.generations("signing"), now, None))

    def is_known(self, heard: int | None, now: Instant) -> bool:
        """Whether the key that signs papers now stands on this edition of our card."""
        return heard is None or heard >= _newest(self.generations("signing"), now, None).edition

    def known(self, heard: int | None, now: Instant) -> SigningKey:
        """The key that signs what we send to a partner that has heard of this edition of our card;
        None: of whatever is current.
        """
        return self._key(_newest(self.generations("signing"), now, heard))

    def public_keys(self, now: Instant) -> Sequence[str]:
        """Our public keys (base64) that are good at this moment, the oldest first."""
        return [
            self._key(one).public
            for one in self.generations("signing")
            if one.valid_to is None or one.valid_to > now
        ]

    def key(self, generation: Generation) -> SigningKey:
        return self._key(generation)

    def on_card(self, now: Instant) -> Sequence[Generation]:
        """The keys that our card shows: those that are good, and those that the last rotation ends,
        because they vouch for their successors.
        """
        last = max(one.made_at for one in self.generations())
        return [
            one
            for one in self.generations()
            if one.valid_to is None or one.valid_to > now or one.valid_to >= last
        ]

    def certificate(self, now: Instant, *, heard: int | None = None) -> certificates.Pair:
        """The TLS key pair in use; heard: see known. Raises Refused `certificate-missing`."""
        pairs = self.generations("tls")
        if not pairs:
            raise Refused(
                "certificate-missing",
                "This node has no TLS certificate, because its address is not https. Correct "
                "http.address in node.toml and start the node again.",
                field="http.address",
            )
        return self.pair(_newest(pairs, now, heard))

    def pair(self, generation: Generation) -> certificates.Pair:
        """The files of a TLS key pair, which are never changed."""
        key = self._folder / f"{generation.id}.key"
        _check_private(key)
        return certificates.Pair(self._folder / f"{generation.id}.crt", key)

    # --- signing ------------------------------------------------------------------------------

    def sign(self, fingerprint: str, *, party: PartyId, at: Instant) -> Signature:
        """A signature over the ASCII text of a fingerprint (see documents.fingerprint)."""
        value = self.current(at).sign(fingerprint.encode("ascii"))
        return Signature(party=party, value=b64encode(value).decode(), at=at)

    def signer(self, fingerprint: str, signature: Signature) -> str:
        """The id of our key that signed a paper of this fingerprint, good then or not.

        Raises Refused `signature-wrong`.
        """
        publics = [self.key(one).public for one in self.generations("signing")]
        return key_id(verify(publics, fingerprint, signature))

    # --- change -------------------------------------------------------------------------------

    def rotate(self, *, now: Instant, overlap: timedelta) -> Generation:
        """Makes the next signing key. It takes over when all partners have heard of it, at the
        latest when half of the overlap is over; the one before it is good until its end.

        Raises Refused `rotation-under-way`. Killed at any moment, it has happened or it has not.
        """
        with self._changing() as generations:
            _check_rested(generations, now)
            private = Ed25519PrivateKey.generate()
            made = SigningKey(private)
            _write_new(self._folder / f"{made.kid}.key", _text(private))
            return self._add(generations, "signing", made.kid, now=now, overlap=overlap)

    def rotate_certificate(
        self, *, party: PartyId, address: str, now: Instant, overlap: timedelta
    ) -> Generation:
        """Makes the next TLS key pair, as rotate does for what signs."""
        with self._changing() as generations:
            _check_rested(generations, now)
            made = self._make_pair(party, address)
            return self._add(generations, "tls", made, now=now, overlap=overlap)

    def have_certificate(self, *, party: PartyId, address: str, now: Instant) -> None:
        """Makes the first TLS key pair unless there is one. Partners learn of it by our card."""
        if self.generations("tls"):
            return
        with self._changing() as generations:
            if not any(one.kind == "tls" for one in generations):
                made = self._make_pair(party, address)
                first = Generation("tls", made, 1, now, used_from=EVER)
                self._write([*generations, first])
        self._link(now)

    def take_over(self, edition: int, *, now: Instant) -> None:
        """The keys of this edition, and those before it, are in use from now on."""
        waiting = [one for one in self.generations() if one.used_from > now]
        if any(one.edition <= edition for one in waiting):
            with self._changing() as generations:
                self._write(
                    [
                        replace(one, used_from=min(one.used_from, now))
                        if one.edition <= edition
                        else one
                        for one in generations
                    ]
                )
        self._link(now)

    # --- inside -------------------------------------------------------------------------------

    def _key(self, generation: Generation) -> SigningKey:
        if generation.id not in self._loaded:
            path = self._folder / f"{generation.id}.key"
            _check_private(path)
            try:
                made = SigningKey(_private(path.read_text("ascii")))
            except (OSError, ValueError):
                raise _unreadable(path) from None
            if made.kid != generation.id:
                raise _unreadable(path)
            self._loaded[generation.id] = made
        return self._loaded[generation.id]

    @contextmanager
    def _changing(self) -> Iterator[Sequence[Generation]]:
        """The ring as it stands, which nobody else changes meanwhile."""
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.generations()
        finally:
            os.close(lock)

    def _add(
        self,
        generations: Sequence[Generation],
        kind: Kind,
        made: str,
        *,
        now: Instant,
        overlap: timedelta,
    ) -> Generation:
        edition = max(one.edition for one in generations) + 1
        new = Generation(kind, made, edition, made_at=now, used_from=now + overlap / 2)
        ended = [
            replace(one, valid_to=now + overlap)
            if one.kind == kind and one.valid_to is None
            else one
            for one in generations
        ]
        self._write([*ended, new])
        return new

    def _make_pair(self, party: PartyId, address: str) -> str:
        key, certificate, name = certificates.make(party, address)
        _write_new(self._folder / f"{name}.key", key)
        _write_new(self._folder / f"{name}.crt", certificate)
        return name

    def _write(self, generations: Sequence[Generation]) -> None:
        text = json.dumps(documents.write(_Ring(tuple(generations))), indent=1) + "\n"
        _replace(self._folder / RING, text)

    def _link(self, now: Instant) -> None:
        """Has `tls.key` and `tls.crt` in the node's folder lead to the pair in use, for a proxy."""
        if not self.generations("tls"):
            return
        pair = self.certificate(now)
        for path in (pair.key, pair.certificate):
            link = self._folder.parent / f"tls{path.suffix}"
            target = f"{FOLDER}/{path.name}"
            if not link.is_symlink() or os.readlink(link) != target:
                draft = link.with_name(f"{link.name}.{os.getpid()}.new")
                draft.unlink(missing_ok=True)
                draft.symlink_to(target)
                draft.replace(link)


def _newest(generations: Sequence[Generation], now: Instant, heard: int | None) -> Generation:
    """The newest that is in use, of those that stand on an edition that has been heard."""
    used = [
        one
        for one in generations
        if one.used_from <= now and (heard is None or one.edition <= heard)
    ]
    return used[-1] if used else generations[0]


def _check_rested(generations: Sequence[Generation], now: Instant) -> None:
    waiting = [one for one in generations if one.used_from > now]
    if waiting:
        raise Refused(
            "rotation-under-way",
            f"Key {waiting[0].id} has been made and is not in use yet: not every partner has heard "
            f"of it. It will be at the latest at {waiting[0].used_from:%Y-%m-%d %H:%M} UTC; "
            "see `hansa keys list`.",
        )


# --- files --------------------------------------------------------------------------------------


def _create(folder: Path, now: Instant) -> None:
    """Makes a ring of one key beside its place, then moves it there unless another was quicker."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    former = folder / FORMER_FILE
    if former.exists():
        _check_private(former)
        try:
            private, made_at = _private(former.read_text("ascii")), EVER
        except ValueError:
            raise _unreadable(former) from None
    else:
        private, made_at = Ed25519PrivateKey.generate(), now
    draft = Path(tempfile.mkdtemp(prefix=f"{FOLDER}.", dir=folder))  # mode 0700
    key = SigningKey(private)
    first = Generation("signing", key.kid, 1, made_at, used_from=EVER)
    _write_new(draft / f"{key.kid}.key", _text(private))
    _replace(draft / RING, json.dumps(documents.write(_Ring((first,))), indent=1) + "\n")
    try:
        draft.rename(folder / FOLDER)
    except OSError:
        shutil.rmtree(draft)
        if not (folder / FOLDER / RING).exists():
            raise
    former.unlink(missing_ok=True)


def _write_new(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, and that is on the disk when this returns."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    _write_new(draft, text)
    draft.replace(path)
    disk.sync(path.parent)


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        raise _unreadable(path) from None
    if mode & 0o077:
        raise Refused(
            "key-exposed",
            f"{path} can be read by others than its owner. Make it private "
            "(chmod 600) and, if others could have read it, replace the key.",
        )


def _text(private: Ed25519PrivateKey) -> str:
    return b64encode(private.private_bytes_raw()).decode() + "\n"


def _private(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(b64decode(text.strip(), validate=True))


def _unreadable(path: Path) -> Refused:
    return Refused(
        "key-unreadable",
        f"{path} does not hold what it should. Restore it from your backup; a new key "
        "has to be agreed with every partner.",
    )


# --- keys of anybody ----------------------------------------------------------------------------


def key_id(public: str) -> str:
    """The id of a public key: the first 16 hexadecimal digits of the SHA-256 of its 32 octets."""
    raw = public_key(public).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def public_key(text: str, *, field: str = "public_key") -> Ed25519PublicKey:
    """A public key from its base64 text; raises Refused `public-key-invalid`."""
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))
    except ValueError:
        raise Refused(
            "public-key-invalid",
            "The public key is not an Ed25519 key: 32 octets in base64 are expected.",
            field=field,
        ) from None


def is_signed(public: str, content: bytes, value: str) -> bool:
    """Whether this base64 text is a signature over the content by this key."""
    try:
        public_key(public).verify(b64decode(value, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def verify(public: str | Sequence[str], fingerprint: str, signature: Signature) -> str:
    """Of this key, or of these, the one by which the signature is over this fingerprint.

    Raises Refused `signature-wrong` when it is not, `public-key-invalid` when `public` is
    no key.
    """
    keys = [public] if isinstance(public, str) else public
    content = fingerprint.encode("ascii", "replace")
    for key in keys if fingerprint.isascii() else ():
        if is_signed(key, content, signature.value):
            return key
    raise Refused(
        "signature-wrong",
        f"The signature of {signature.party} is not over this paper, or not by its key. "
        "Compare the paper's fingerprint and the partner's key, then have it signed again.",
        field="signature",
    )
