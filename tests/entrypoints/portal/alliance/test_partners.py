"""Partners: their keys, whether they answer, and what only some may see of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hansa.entrypoints.portal.pages.alliance.partners import Proof, Standing
from hansa.federation import directory, notices
from hansa.foundation.money import Money
from hansa.foundation.plan.model import Backlog
from hansa.foundation.time import SetClock
from hansa.node import Node
from tests.alliance import Alliance
from tests.databases import Pool
from tests.entrypoints.portal.alliance.conftest import come
from tests.entrypoints.portal.visitor import Visitor

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def trio(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """South knows north and east; east has fallen silent, and is told of south's new key."""
    with pool.lend() as databases:
        made = Alliance(databases, tmp_path_factory.mktemp("trio"), SetClock(NOW), b"trio")
        north, east, south = made.add("north"), made.add("east", "PT", "EUR"), made.add("south")
        made.join(south, north)
        made.join(south, east)
        made.agree(south, north, currency="GBP", credit_limit=Money.of("5000", "GBP"))
        made.silent.add(east.us.id)
        made.clock.at = NOW + timedelta(minutes=1)
        north.keys.rotate(now=made.clock.now(), overlap=timedelta(days=7))
        south.keys.rotate(now=made.clock.now(), overlap=timedelta(days=7))
        for node in (north, south):
            with node.begin() as tx:
                node.renew_cards(tx, made.clock.now())
        made.work()
        yield made
        made.close()


@pytest.fixture(scope="module")
def north(trio: Alliance) -> Node:
    return next(iter(trio.nodes.values()))


@pytest.fixture(scope="module")
def south(trio: Alliance) -> Node:
    return trio.top


@pytest.fixture(scope="module")
def sue(south: Node) -> Visitor:
    return come(south, "sue", "sales")


def by_name(visitor: Visitor) -> dict[str, list[str]]:
    return {row[0].split()[0]: row[1:] for row in visitor.open("/partners").rows()}


def test_who_answers_and_who_does_not(trio: Alliance, south: Node, sue: Visitor) -> None:
    assert [row[0] for row in sue.open("/partners").rows()] == [
        "EASTeast, Portugal",
        "NORTHnorth, United Kingdom",
    ]
    fresh = by_name(sue)
    assert fresh["NORTHnorth,"][0] == "has answered all"
    assert fresh["NORTHnorth,"][1] == "2 Nov 2026, 08:01:00 UTC"
    assert fresh["EASTeast,"][0] == "is being told 1 notice waits"
    with south.begin() as tx:
        assert notices.backlogs(tx, now=NOW) == {"east": Backlog(1, 0, 0)}
        whole = notices.backlog(tx, now=NOW)
    assert whole == Backlog(1, 0, 0)
    told = sue.open("/partners").text
    assert "These have not answered to our new card yet: east." in told


def test_a_day_later_it_does_not_answer(south: Node) -> None:
    with south.begin() as tx:
        late = notices.backlogs(tx, now=NOW + timedelta(days=1, minutes=1))
    assert late == {"east": Backlog(1, 1, 0)}
    with south.begin() as tx:
        one = directory.partner(tx, party=next(iter(late)))
    assert Standing(one, (), late[one.party.id], None).answers == "no"


def test_a_key_that_ends_is_no_trouble_when_another_follows(north: Node, sue: Visitor) -> None:
    shown = sue.open("/partners/north")
    (old, new) = shown.rows()
    assert [old[0], old[4]] == ["Key", "ends soon"]
    assert [new[1], new[4]] == [north.keys.generations("signing")[-1].id, "good"]
    assert by_name(sue)["NORTHnorth,"][-1] == "good"


def key(state: str, *, until: int | None, kind: str = "key") -> Proof:
    return Proof(kind, state, NOW, None if until is None else NOW + timedelta(days=until), state)


def test_what_is_said_of_keys_that_end(south: Node) -> None:
    with south.begin() as tx:
        one, *_others = directory.partners(tx)

    def trouble(*proofs: Proof) -> list[str]:
        found = Standing(one, proofs, Backlog(0, 0, 0), None).trouble
        return [f"{proof.kind} {proof.state}" for proof in found]

    assert trouble(key("good", until=None)) == []
    assert trouble(key("soon", until=5)) == ["key soon"]
    assert trouble(key("soon", until=5), key("good", until=None)) == []
    assert trouble(key("soon", until=5), key("good", until=None, kind="certificate")) == [
        "key soon"
    ]
    assert trouble(key("ended", until=-1)) == ["key ended"]
    assert trouble(key("revoked", until=None), key("good", until=90)) == []


def test_credit_is_for_those_who_keep_the_books(south: Node, sue: Visitor) -> None:
    fin = come(south, "fin", "finance")
    assert "5,000.00 GBP" in fin.open("/partners/north").all("//section[@id='credit']")[0]
    assert sue.open("/partners/north").all("//section[@id='credit']") == []
    assert "south sells to north" in sue.open("/partners/north").text


def test_one_who_is_revoked_and_one_who_is_unknown(south: Node, sue: Visitor) -> None:
    with south.begin() as tx:
        directory.revoke(
            tx, party=next(iter(p.party.id for p in directory.partners(tx))), why="stolen <b>",
            by="sue", now=NOW,
        )  # fmt: skip
    shown = sue.open("/partners/east")
    assert "This partner is revoked" in shown.text
    assert shown.rows(-1)[0][1:] == ["Revoked", "all of them", "stolen <b>", "sue"]
    assert sue.open("/partners/nobody").status == 404
    assert "No such partner" in sue.open("/partners?q=cheese", part=True).text


def test_administrators_have_no_business_here(south: Node) -> None:
    assert come(south, "ada", "admin").open("/partners").status == 403


def test_a_page_of_partners(south: Node) -> None:
    with south.begin() as tx:
        found, total = directory.page(tx, limit=1)
        assert ([one.party.id for one in found], total) == (["east"], 2)
        found, total = directory.page(tx, offset=1, limit=1)
        assert ([one.party.id for one in found], total) == (["north"], 2)
        assert directory.page(tx, text="cheese", limit=5)[1] == 0
        assert directory.page(tx, text="NORTH.test", limit=5)[1] == 1
