"""This node's key: Ed25519 (RFC 8032). It signs papers and tokens; it never leaves its file."""

from __future__ import annotations

import binascii
import os
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hansa.federation.papers import Signature
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.time import Instant

KEY_FILE = "node.key"
"""In the node's folder: 32 octets in base64 on one line, readable by its owner only."""


class KeyRing:
    """Signs in the name of this node. Nothing on it shows the private key.

    public: the public key, 32 octets in base64, as it stands on the node's card.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = b64encode(raw).decode()

    @classmethod
    def load_or_create(cls, folder: Path) -> KeyRing:
        """The key in the folder, made at the first call; several processes may call at once.

        Raises Refused `key-exposed` when others may read the file, `key-unreadable` when it
        holds no key.
        """
        path = folder / KEY_FILE
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise Refused(
                "key-exposed",
                f"{path} can be read by others than its owner. Make it private "
                "(chmod 600) and, if others could have read it, replace the key.",
            )
        try:
            secret = b64decode(path.read_text("ascii").strip(), validate=True)
            return cls(Ed25519PrivateKey.from_private_bytes(secret))
        except ValueError:
            raise Refused(
                "key-unreadable",
                f"{path} does not hold an Ed25519 key. Restore it from your backup; a new key "
                "has to be agreed with every partner.",
            ) from None

    def __repr__(self) -> str:
        return f"KeyRing(public={self.public!r})"

    def sign(self, fingerprint: str, *, party: PartyId, at: Instant) -> Signature:
        """A signature over the ASCII text of a fingerprint (see documents.fingerprint)."""
        value = self._private.sign(fingerprint.encode("ascii"))
        return Signature(party=party, value=b64encode(value).decode(), at=at)

    def token(self, claims: Mapping[str, str | int]) -> str:
        """A JSON Web Token of these claims, signed with EdDSA (RFC 8037)."""
        return jwt.encode(dict(claims), self._private, algorithm="EdDSA")


def _create(path: Path) -> None:
    """Writes a new key beside its place, then links it there unless another was quicker."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    handle, draft = tempfile.mkstemp(prefix=f"{KEY_FILE}.", dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # its key is ours too
    finally:
        os.unlink(draft)


def public_key(text: str) -> Ed25519PublicKey:
    """A public key from its base64 text; raises Refused `public-key-invalid`."""
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(text, validate=True))
    except ValueError:
        raise Refused(
            "public-key-invalid",
            "The public key is not an Ed25519 key: 32 octets in base64 are expected.",
            field="public_key",
        ) from None


def verify(public: str, fingerprint: str, signature: Signature) -> None:
    """Returns when the signature is over this fingerprint by this key.

    Raises Refused `signature-wrong` when it is not, `public-key-invalid` when `public` is
    no key.
    """
    key = public_key(public)
    try:
        key.verify(b64decode(signature.value, validate=True), fingerprint.encode("ascii"))
    except (InvalidSignature, binascii.Error, UnicodeEncodeError):
        raise Refused(
            "signature-wrong",
            f"The signature of {signature.party} is not over this paper, or not by its key. "
            "Compare the paper's fingerprint and the partner's key, then have it signed again.",
            field="signature",
        ) from None
