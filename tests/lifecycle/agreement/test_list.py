"""The list of agreements: one line each, by the version that counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hansa.foundation.errors import NotFound
from hansa.foundation.ids import AgreementId
from hansa.lifecycle.agreement import actions
from hansa.lifecycle.agreement.model import AgreementState
from tests.lifecycle.agreement.examples import FROM, ID, Office, World, document


def listed(office: Office, **wanted: object) -> tuple[list[tuple[str, int, int]], int]:
    with office.begin() as tx:
        found, total = actions.page(
            tx,
            text=str(wanted.get("text", "")),
            state=wanted.get("state"),  # type: ignore[arg-type]
            offset=int(str(wanted.get("offset", 0))),
            limit=int(str(wanted.get("limit", 10))),
            now=office.now,
        )
    return [(str(one.shown.ref.id), one.shown.ref.version, one.newest) for one in found], total


def test_the_version_in_force_is_listed_and_the_one_to_follow_is_named(two: World) -> None:
    two.agree(document())
    two.bt.draft(document(2, valid_from=FROM + timedelta(days=90)))
    assert listed(two.bt) == ([(ID, 1, 2)], 1)


def test_a_page_of_what_is_wanted_with_how_many_there_are(two: World) -> None:
    for number in range(3):
        two.bt.draft(document(id=AgreementId(f"agr_{number}.bt"), name=f"Trade {number}"))
    two.agree(document())
    assert listed(two.bt, limit=2) == ([(ID, 1, 1), ("agr_2.bt", 1, 1)], 4)
    assert listed(two.bt, offset=3, limit=2) == ([("agr_0.bt", 1, 1)], 4)
    assert listed(two.bt, state=AgreementState.SIGNED) == ([(ID, 1, 1)], 1)
    assert listed(two.bt, text="trade 1") == ([("agr_1.bt", 1, 1)], 1)
    assert listed(two.bt, text="mtn")[1] == 4
    assert listed(two.bt, text="acme") == ([], 0)


def test_what_became_of_it_comes_with_what_was_signed(two: World) -> None:
    two.agree(document())
    two.launch("ZA")
    with two.mtn.begin() as tx:
        versions, moves = actions.history(tx, id=ID)
        with pytest.raises(NotFound, match="agreement-unknown"):
            actions.history(tx, id=AgreementId("agr_other.bt"))
    assert [one.ref.version for one in versions] == [1]
    ((move, fingerprint),) = moves
    assert (move.act, move.country) == ("launch", "ZA")
    assert two.bt.keys.signer(fingerprint, move.signature) == two.bt.keys.current(two.bt.now).kid
