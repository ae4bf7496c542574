"""The launch board: what was shown at which gate, by whom, and countries that go live."""

from __future__ import annotations

import pytest

from hansa.federation.contract import AgreementRef
from hansa.foundation.people.actions import audit
from hansa.lifecycle.agreement import actions
from hansa.node import Node
from tests.alliance import Alliance
from tests.entrypoints.portal.alliance.conftest import come
from tests.entrypoints.portal.visitor import Visitor


@pytest.fixture
def ref(alliance: Alliance, south: Node, north: Node) -> AgreementRef:
    """Signed by both, launched nowhere."""
    made = alliance.agree(south, north, currency="ZAR", countries=("NG", "KE"), launched=())
    alliance.work()
    return made


def test_every_country_with_its_gates(sal: Visitor, alliance: Alliance) -> None:
    shown = sal.open("/launches")
    assert shown.heading == "Launch board"
    (ghana,) = [one for one in shown.all("//ul[contains(@class, 'grid')]/li") if "Ghana" in one]
    assert ghana == "Ghana Planned 0 of 1open: licence"
    (africa,) = [one for one in shown.all("//ul[contains(@class, 'grid')]/li") if "South" in one]
    assert africa == "South Africa Live 1 of 1since 2 Nov 2026"
    assert "No such agreement" in sal.open("/launches?q=cheese", part=True).text


def test_a_gate_is_passed_and_the_country_launched_for_a_reason(
    siya: Visitor, sal: Visitor, south: Node, alliance: Alliance, ref: AgreementRef
) -> None:
    path = f"/launches/{ref.id}/NG"
    early = siya.send(f"{path}/launch", {"why": "now"})
    assert early.status == 422
    assert "nothing was shown yet for licence" in early.text
    empty = siya.send(f"{path}/pass", {"gate": "licence", "evidence": " "})
    assert empty.status == 422
    shown = siya.open(path)
    passed = siya.send(f"{path}/pass", {**shown.form(f"{path}/pass"), "evidence": "NCC <b>12</b>"})
    (step,) = passed.all("//ol[@class='timeline']/li")
    assert step.startswith("licence passed siya")
    assert step.endswith("NCC <b>12</b>")  # as text
    assert siya.send(f"{path}/pass", {"gate": "licence", "evidence": "other"}).status == 422

    assert siya.send(f"{path}/launch", {"why": ""}).status == 422
    launched = siya.send(f"{path}/launch", {"why": "the customers wait"})
    assert "Live since" in launched.text
    with south.begin() as tx:
        (entry,) = audit.trail(tx, action="country-launched", subject=f"{ref.id}/NG")
        assert (entry.who, entry.why) == ("siya", "the customers wait")
        (entry,) = audit.trail(tx, action="gate-passed")
        assert entry.details == {"evidence": "NCC <b>12</b>"}
        assert actions.show(tx, ref=ref).launched == ("NG",)

    alliance.work()
    told = sal.open(path)
    assert "SOUTH" in told.all("//ol[@class='timeline']/li")[0]
    assert "Live since" in told.text


def test_only_the_lead_s_people_act(sal: Visitor, ref: AgreementRef) -> None:
    path = f"/launches/{ref.id}/KE"
    shown = sal.open(path)
    assert shown.tree.xpath("//form[contains(@action, '/pass')]") == []
    assert sal.send(f"{path}/pass", {"gate": "licence", "evidence": "x"}).status == 422


def test_operations_pass_gates_and_do_not_launch(south: Node, ref: AgreementRef) -> None:
    oli = come(south, "oli", "operations")
    path = f"/launches/{ref.id}/KE"
    assert oli.send(f"{path}/pass", {"gate": "licence", "evidence": "test 4"}).status == 200
    assert oli.send(f"{path}/launch", {"why": "x"}).status == 403
    assert oli.open(path).tree.xpath("//form[contains(@action, '/launch')]") == []


def test_what_is_not_there(sal: Visitor, ref: AgreementRef) -> None:
    assert sal.open(f"/launches/{ref.id}/DE").status == 404
    assert sal.open("/launches/agr_nothing/ZA").status == 404
