"""The keys by which calls are signed (ES256, RFC 8225), kept in the driver's own folder: a file for
each, under the name that intents bear. A key is made when it is first asked for.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def private(folder: Path, ref: str) -> str:
    """The private key of this name, PEM. Several processes may ask at once: all get the same."""
    file = folder / quote(ref, safe="")
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(
                ec.generate_private_key(ec.SECP256R1()).private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            )
        with suppress(FileExistsError):
            os.link(draft, file)  # whoever is first is right
        draft.unlink()
    return file.read_text()
