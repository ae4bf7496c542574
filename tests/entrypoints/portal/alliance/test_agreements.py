"""Agreements: what stands in them, under them, and who it takes to sign or stop one."""

from __future__ import annotations

from base64 import b64encode

import pytest

from hansa.federation.contract import AgreementRef
from hansa.federation.papers import Signature
from hansa.lifecycle.agreement import actions, store
from hansa.lifecycle.agreement.model import Agreement, AgreementState
from hansa.node import Node
from tests.alliance import LINE, Alliance
from tests.entrypoints.portal.alliance.conftest import come
from tests.entrypoints.portal.visitor import Visitor


def agreed(node: Node) -> Agreement:
    """The one that is live in South Africa."""
    with node.begin() as tx:
        return next(one for one in actions.all(tx) if one.launched)


def unsigned(alliance: Alliance, south: Node, north: Node) -> AgreementRef:
    """Another agreement, which south has signed and north has not."""
    ref = alliance.agree(
        south, north, currency="ZAR", countries=("NG",), signed_by=[south], launched=()
    )
    alliance.work()
    return ref


def test_a_list_that_can_be_searched(sal: Visitor) -> None:
    shown = sal.open("/agreements")
    assert shown.heading == "Agreements"
    row = next(row for row in shown.rows() if "South Africa" in row[4])
    assert row[0].startswith("south sells to north")
    assert "Live" in row[2]
    assert row[3:5] == ["by all", "South Africa"]
    assert sal.open("/agreements?q=south&state=live", part=True).rows()
    assert "No such agreement" in sal.open("/agreements?q=cheese", part=True).text
    assert "No such agreement" in sal.open("/agreements?state=run-off", part=True).text


def test_both_signatures_are_shown_with_the_keys_that_made_them(
    sal: Visitor, south: Node, north: Node, alliance: Alliance
) -> None:
    one = agreed(north)
    shown = sal.open(f"/agreements/{one.ref.id}")
    assert shown.rows()[0][0].startswith("SOUTH")
    keys = {row[0].split()[0]: (row[2], row[3]) for row in shown.rows()}
    now = alliance.clock.now()
    assert keys == {
        "SOUTH": (south.keys.current(now).kid, "holds"),
        "NORTH": (north.keys.current(now).kid, "holds"),
    }
    assert one.fingerprint in shown.text
    assert "does not hold" not in shown.text


def test_terms_and_shares_are_said_in_words(sal: Visitor, north: Node) -> None:
    shown = sal.open(f"/agreements/{agreed(north).ref.id}")
    assert shown.rows(1) == [
        ["SOUTH", "NORTH", LINE, "Ghana, South Africa", "retail", "GBP", "5,000.00 GBP"]
    ]
    assert "SOUTH pays NORTH 12.5% of its revenue" in shown.text
    assert shown.all("//ol[not(@class)]/li") == ["Credit notes", "Taxes: 5%"]


def test_what_became_of_it_is_verified(sal: Visitor, north: Node) -> None:
    shown = sal.open(f"/agreements/{agreed(north).ref.id}")
    acts = shown.all("//ol[@class='timeline']/li//p[@class='step-title']")
    assert acts[0] == "Launched South Africa signature verified"
    assert acts[1:] == ["Signed version 1 signature verified"] * 2


def test_a_forged_signature_is_shown_as_such(
    sal: Visitor, south: Node, north: Node, alliance: Alliance
) -> None:
    """Somebody with the database has put a signature under it that south never made."""
    ref = alliance.agree(south, north, currency="ZAR", countries=("KE",), signed_by=[], launched=())
    alliance.work()
    now = alliance.clock.now()
    forged = Signature(south.us.id, b64encode(bytes(64)).decode(), now)
    foreign = north.keys.sign("0" * 64, party=north.us.id, at=now)
    with north.begin() as tx:
        store.add_signature(tx, ref, forged, now=now)
        store.add_signature(tx, ref, foreign, now=now)
    shown = sal.open(f"/agreements/{ref.id}")
    assert "A signature does not hold" in shown.text
    assert [row[3] for row in shown.rows()] == ["does not hold"] * 2
    assert [row[2] for row in shown.rows()] == ["no key of theirs"] * 2
    assert "signature verified" not in shown.text


def test_who_proposes_a_signature_does_not_approve_it(
    sal: Visitor, app: Visitor, south: Node, north: Node, alliance: Alliance
) -> None:
    ref = unsigned(alliance, south, north)
    shown = sal.open(f"/agreements/{ref.id}")
    form = shown.form(f"/agreements/{ref.id}/sign")
    refused = sal.send(f"/agreements/{ref.id}/sign", form)
    assert refused.status == 422
    wrong = sal.send(
        f"/agreements/{ref.id}/sign", {**form, "fingerprint": "0" * 64, "why": "the board said so"}
    )
    assert wrong.status == 422
    assert "not the text that you were shown" in wrong.text
    proposed = sal.send(f"/agreements/{ref.id}/sign", {**form, "why": "the board said so"})
    assert proposed.heading == "Sign an agreement"
    assert "somebody else has to approve it" in proposed.text
    assert agreed_as(north, ref).unsigned == (north.us.id,)
    assert "Our signature waits for an approver" in sal.open(f"/agreements/{ref.id}").text

    path = proposed.answer.url.path
    assert sal.send(f"{path}/approve", {"fingerprint": "x"}).status == 403
    seen = app.open(path)
    assert agreed_as(north, ref).fingerprint in seen.text
    app.send(f"{path}/approve", seen.form(f"{path}/approve"))
    signed = agreed_as(north, ref)
    assert (signed.unsigned, signed.state) == ((), AgreementState.SIGNED)
    alliance.work()
    assert agreed_as(south, ref).unsigned == ()


def test_one_who_is_both_still_needs_another(south: Node, north: Node, alliance: Alliance) -> None:
    ref = unsigned(alliance, south, north)
    both = come(north, "both", "sales", "approver")
    form = both.open(f"/agreements/{ref.id}").form(f"/agreements/{ref.id}/sign")
    proposed = both.send(f"/agreements/{ref.id}/sign", {**form, "why": "quick"})
    path = proposed.answer.url.path
    print_ = proposed.all("//dd[@class='typed']/code")[0]
    assert both.send(f"{path}/approve", {"fingerprint": print_}).status == 422
    assert agreed_as(north, ref).unsigned == (north.us.id,)


def test_stopping_takes_two_and_a_reason(
    siya: Visitor, anna: Visitor, sal: Visitor, south: Node, alliance: Alliance
) -> None:
    one = agreed(south)
    path = f"/agreements/{one.ref.id}"
    choices = siya.open(path).all("//select[@name='act']/option/@value")
    assert choices == ["suspend", "run-off", "end"]
    assert sal.open(path).all("//select[@name='act']/option/@value") == ["end"]  # does not lead
    form = {"version": "1", "act": "suspend"}
    assert siya.send(f"{path}/move", form).status == 422
    assert siya.send(f"{path}/move", {**form, "act": "resume", "why": "x"}).status == 422
    proposed = siya.send(f"{path}/move", {**form, "why": "they do not pay"})
    assert "Suspend: no new orders for now" in proposed.text
    at = proposed.answer.url.path
    anna.send(f"{at}/approve", anna.open(at).form(f"{at}/approve"))
    assert agreed(south).state is AgreementState.SUSPENDED
    alliance.work()
    assert "Suspended new orders signature verified" in sal.open(path).text


@pytest.mark.parametrize("path", ["/agreements", "/agreements/agr_x"])
def test_only_staff_of_the_trade_look(path: str, north: Node) -> None:
    admin = come(north, f"ada{len(path)}", "admin")
    assert admin.open(path).status == 403


def test_what_is_not_there(sal: Visitor, north: Node) -> None:
    assert sal.open("/agreements/agr_nothing").status == 404
    assert sal.open(f"/agreements/{agreed(north).ref.id}?version=9").status == 404
    assert sal.send(f"/agreements/{agreed(north).ref.id}/sign", {"version": "x"}).status == 404


def agreed_as(node: Node, ref: AgreementRef) -> Agreement:
    with node.begin() as tx:
        return actions.show(tx, ref=ref)


def test_the_overview_says_what_waits_to_be_signed(
    sal: Visitor, south: Node, north: Node, alliance: Alliance
) -> None:
    ref = unsigned(alliance, south, north)
    shown = sal.open("/overview")
    assert shown.status == 200
    assert "Agreements to sign" in shown.text
    (href,) = shown.tree.xpath("//section[@aria-labelledby='waits']//a[contains(., 'sign')]/@href")
    assert f"/agreements/{ref.id}" in sal.open(href).tree.xpath("//tbody//a/@href")
    assert "Countries that are live 1" in shown.text
