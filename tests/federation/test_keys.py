"""A node's key: made once, kept to itself, and good for proving what was signed."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from hansa.federation.keys import KEY_FILE, KeyRing, verify
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from tests.federation.shop import BT, MTN, START

PAPER = documents.fingerprint({"net": 1})


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = KeyRing.load_or_create(tmp_path / "node")
    assert KeyRing.load_or_create(tmp_path / "node").public == first.public
    file = tmp_path / "node" / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    assert KeyRing.load_or_create(tmp_path / "other").public != first.public


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(KeyRing.load_or_create, [tmp_path / "node"] * 8))
    assert len({ring.public for ring in rings}) == 1


def test_a_key_that_others_could_read_is_not_used(tmp_path: Path) -> None:
    KeyRing.load_or_create(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-exposed"


@pytest.mark.parametrize("text", ["", "short", "AAAA", "é" * 40])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    KeyRing.load_or_create(tmp_path)
    (tmp_path / KEY_FILE).write_text(text)
    assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-unreadable"


def test_the_private_key_is_not_shown(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path)
    secret = (tmp_path / KEY_FILE).read_text().strip()
    assert secret not in f"{ring!r} {ring} {vars(ring)}"


def test_a_signature_is_over_one_paper_by_one_key(bt_ring: KeyRing, mtn_ring: KeyRing) -> None:
    signature = bt_ring.sign(PAPER, party=BT, at=START)
    verify(bt_ring.public, PAPER, signature)
    assert (signature.party, signature.at) == (BT, START)
    other = documents.fingerprint({"net": 2})
    for public, paper, by in (
        (mtn_ring.public, PAPER, signature),
        (bt_ring.public, other, signature),
        (bt_ring.public, PAPER, mtn_ring.sign(PAPER, party=MTN, at=START)),
        (bt_ring.public, PAPER, replace(signature, value="")),
        (bt_ring.public, PAPER, replace(signature, value="not base64!")),
        (bt_ring.public, "é", signature),
    ):
        assert refused(partial(verify, public, paper, by)) == "signature-wrong"
    for public in ("", "AAAA", "é", bt_ring.public + "A"):
        assert refused(partial(verify, public, PAPER, signature)) == "public-key-invalid"
