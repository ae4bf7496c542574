"""A node's keys: made once, kept to themselves, replaced without a gap, good for proof."""

from __future__ import annotations

import json
import os
import signal
import stat
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hansa.federation.keys import ring
from hansa.federation.keys.ring import EVER, FOLDER, RING, KeyRing, key_id, verify
from hansa.foundation import documents
from hansa.foundation.errors import Refused
from tests.federation.shop import BT, MTN, START

PAPER = documents.fingerprint({"net": 1})
WEEK = timedelta(days=7)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def key_file(folder: Path) -> Path:
    (found,) = (folder / FOLDER).glob("*.key")
    return found


# --- made and kept --------------------------------------------------------------------------------


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = KeyRing.load_or_create(tmp_path / "node")
    assert KeyRing.load_or_create(tmp_path / "node").public == first.public
    folder = tmp_path / "node" / FOLDER
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.parent.iterdir()) == [folder]
    assert KeyRing.load_or_create(tmp_path / "other").public != first.public


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(KeyRing.load_or_create, [tmp_path / "node"] * 8))
    assert len({ring.public for ring in rings}) == 1
    assert [path.name for path in (tmp_path / "node").iterdir()] == [FOLDER]


def test_the_one_key_of_a_former_node_becomes_the_first_of_its_ring(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    former = tmp_path / "node.key"
    former.write_text(b64encode(private.private_bytes_raw()).decode() + "\n")
    former.chmod(0o644)
    assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-exposed"
    former.chmod(0o600)
    ring = KeyRing.load_or_create(tmp_path, now=START)
    assert ring.public == b64encode(private.public_key().public_bytes_raw()).decode()
    assert ring.generations()[0].made_at == EVER
    assert not former.exists()


def test_a_key_that_others_could_read_is_not_used(tmp_path: Path) -> None:
    KeyRing.load_or_create(tmp_path)
    key_file(tmp_path).chmod(0o640)
    assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-exposed"


@pytest.mark.parametrize("text", ["", "short", "AAAA", "é" * 40, "A" * 43 + "="])
def test_a_file_that_holds_no_key_or_another_is_refused(tmp_path: Path, text: str) -> None:
    KeyRing.load_or_create(tmp_path)
    key_file(tmp_path).write_text(text)
    assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-unreadable"


def test_a_ring_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    KeyRing.load_or_create(tmp_path)
    for text in ("", "{}", '{"generations": 1}', "é"):
        (tmp_path / FOLDER / RING).write_text(text)
        assert refused(lambda: KeyRing.load_or_create(tmp_path)) == "key-unreadable"


def test_the_private_key_is_not_shown(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path)
    secret = key_file(tmp_path).read_text().strip()
    assert secret not in f"{ring!r} {ring} {vars(ring)} {ring.current(START)}"
    assert secret not in (tmp_path / FOLDER / RING).read_text()


def test_a_signature_is_over_one_paper_by_one_key(bt_ring: KeyRing, mtn_ring: KeyRing) -> None:
    signature = bt_ring.sign(PAPER, party=BT, at=START)
    verify(bt_ring.public, PAPER, signature)
    verify([mtn_ring.public, bt_ring.public], PAPER, signature)
    assert (signature.party, signature.at) == (BT, START)
    other = documents.fingerprint({"net": 2})
    for public, paper, by in (
        (mtn_ring.public, PAPER, signature),
        ([], PAPER, signature),
        (bt_ring.public, other, signature),
        (bt_ring.public, PAPER, mtn_ring.sign(PAPER, party=MTN, at=START)),
        (bt_ring.public, PAPER, replace(signature, value="")),
        (bt_ring.public, PAPER, replace(signature, value="not base64!")),
        (bt_ring.public, PAPER, replace(signature, value="é")),
        (bt_ring.public, "é", signature),
    ):
        assert refused(partial(verify, public, paper, by)) == "signature-wrong"
    for public in ("", "AAAA", "é", bt_ring.public + "A"):
        assert refused(partial(verify, public, PAPER, signature)) == "public-key-invalid"


# --- replaced -------------------------------------------------------------------------------------


def test_a_new_key_takes_over_when_it_is_told_to_or_at_half_of_the_overlap(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path, now=START)
    old = ring.public
    made = ring.rotate(now=START, overlap=WEEK)
    assert ring.public != old
    assert (made.edition, ring.edition, made.id) == (2, 2, key_id(ring.public))
    assert ring.current(START).public == old
    assert ring.current(START + WEEK / 2).public == ring.public
    ring.take_over(1, now=START)
    assert ring.current(START).public == old
    ring.take_over(2, now=START)
    assert ring.current(START).public == ring.public
    first, second = ring.generations("signing")
    assert (first.valid_to, second.valid_to) == (START + WEEK, None)


def test_a_partner_is_spoken_to_with_the_key_that_it_knows(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path, now=START)
    old = ring.public
    ring.rotate(now=START, overlap=WEEK)
    later = START + 3 * WEEK
    assert ring.known(None, later).public == ring.public
    assert ring.known(2, later).public == ring.public
    assert ring.known(1, later).public == old
    assert ring.known(2, START).public == old


def test_what_another_process_does_is_seen_at_once(tmp_path: Path) -> None:
    ours, theirs = (KeyRing.load_or_create(tmp_path, now=START) for _ in range(2))
    ours.rotate(now=START, overlap=WEEK)
    assert theirs.public == ours.public
    assert theirs.current(START).public != ours.public
    ours.take_over(2, now=START)
    assert theirs.current(START).public == ours.public


def test_one_rotation_at_a_time(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path, now=START)
    ring.rotate(now=START, overlap=WEEK)
    assert refused(lambda: ring.rotate(now=START, overlap=WEEK)) == "rotation-under-way"
    ring.rotate(now=START + WEEK, overlap=WEEK)
    assert [one.edition for one in ring.generations()] == [1, 2, 3]


def test_a_card_shows_what_is_good_and_what_vouches(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path, now=START)
    first = ring.generations()[0].id
    second = ring.rotate(now=START, overlap=timedelta()).id
    assert [one.id for one in ring.on_card(START + WEEK)] == [first, second]
    third = ring.rotate(now=START + WEEK, overlap=timedelta()).id
    assert [one.id for one in ring.on_card(START + WEEK)] == [second, third]


def test_a_tls_key_is_apart_from_what_signs(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path, now=START)
    assert refused(lambda: ring.certificate(START)) == "certificate-missing"
    for _ in range(2):
        ring.have_certificate(party=BT, address="https://bt.test:8443", now=START)
    assert ring.edition == 1
    first = ring.certificate(START)
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    assert (tmp_path / "tls.key").resolve() == first.key.resolve()
    signing = ring.public
    ring.rotate_certificate(party=BT, address="https://[::1]:1", now=START, overlap=WEEK)
    assert ring.public == signing
    assert ring.certificate(START) == first
    ring.take_over(2, now=START)
    second = ring.certificate(START)
    assert second.sha256 != first.sha256
    assert ring.certificate(START, heard=1) == first
    assert (tmp_path / "tls.crt").read_text() == second.certificate.read_text()


@pytest.mark.parametrize("moment", ["_write_new", "_replace", "_link"])
@pytest.mark.parametrize("before", [True, False])
def test_killed_in_the_middle_of_a_rotation_the_ring_is_usable(
    tmp_path: Path, moment: str, before: bool
) -> None:
    """The process dies before or after each thing that it writes: the old ring holds or the new."""
    ring = KeyRing.load_or_create(tmp_path, now=START)
    ring.have_certificate(party=BT, address="https://bt.test", now=START)
    old = ring.public
    pid = os.fork()
    if pid == 0:
        _deadly(moment, before=before)
        ring.rotate(now=START, overlap=WEEK)
        ring.take_over(2, now=START)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    again = KeyRing.load_or_create(tmp_path)
    assert again.public == ring.public
    assert again.current(START).public in (old, again.public)
    verify(again.current(START).public, PAPER, again.sign(PAPER, party=BT, at=START))
    assert again.certificate(START).sha256
    if again.edition == 1:
        again.rotate(now=START, overlap=WEEK)
    again.take_over(2, now=START)
    assert again.current(START).public == again.public != old
    assert json.loads((tmp_path / FOLDER / RING).read_text())["generations"]


def _deadly(name: str, *, before: bool) -> None:
    """From now on the process dies at this step."""
    owner = KeyRing if name == "_link" else ring
    step = getattr(owner, name)

    def deadly(*given: object, **named: object) -> None:
        if not before:
            step(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)
