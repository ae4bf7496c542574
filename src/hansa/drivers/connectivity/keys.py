"""Keys of tunnels, kept in the driver's own folder: a file for each, under the name that intents
bear (RFC 7748). They are made there when they are first asked for, and never leave by an intent.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey


class Keys:
    """Keys by reference. Several processes may ask at once: all get the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def private(self, ref: str) -> str:
        """The secret of this name, 32 octets in hex; made when there is none."""
        file = self._file(ref)
        if not file.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_name(f".{secrets.token_hex(8)}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as out:
                out.write(X25519PrivateKey.generate().private_bytes_raw().hex())
            with suppress(FileExistsError):
                os.link(draft, file)  # whoever is first is right
            draft.unlink()
        return file.read_text()

    def public(self, ref: str) -> str:
        """What the other end knows of it, in hex."""
        private = X25519PrivateKey.from_private_bytes(bytes.fromhex(self.private(ref)))
        return private.public_key().public_bytes_raw().hex()

    def forget(self, ref: str) -> None:
        """Does away with a secret; none is no error."""
        self._file(ref).unlink(missing_ok=True)

    def _file(self, ref: str) -> Path:
        return self._folder / quote(ref, safe="")
