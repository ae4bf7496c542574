"""Two operators at their command lines: cards, an agreement, an order, a month, their books."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hansa.entrypoints import api, http
from tests.entrypoints.desk import Desk, set_clock

pytestmark = pytest.mark.slow

SUPPLIER = """
party: {id: bt, name: BT, country: GB, currency: GBP}
products:
  - {code: overlay, name: Overlay, family: connectivity, per: site,
     choices: [{name: speed_mbps, unit: Mbit/s, minimum: 10, maximum: 1000, default: 100}]}
coverage: [{what: overlay, country: ZA}, {what: overlay, country: GH}]
offers:
  - code: connect
    name: Global Connect
    family: connectivity
    per: site
    countries: [ZA, GH]
    characteristics:
      - {name: speed_mbps, unit: Mbit/s, minimum: 10, maximum: 1000, default: 100}
    components:
      - {name: overlay, metered: true, passes: [speed_mbps],
         sources: [{seller: bt, offer: overlay}]}
prices:
  - {price_list: alliance, offer: connect, currency: GBP, one_off: 120, monthly: 90,
     valid_from: 2026-01-01,
     tariff: {kind: percentile, rate_per_mbps: 0.105, commit_mbps: 5}}
taxes:
  - {supplier_country: GB, customer_country: "*", valid_from: 2026-01-01,
     tax: {code: reverse-charge, rate_bp: 0, legend: reverse charge}}
"""

RESELLER = """
party: {id: mtn, name: MTN, country: ZA, currency: ZAR}
offers:
  - code: line
    name: MTN Line
    family: connectivity
    per: site
    countries: [ZA, GH]
    characteristics:
      - {name: speed_mbps, unit: Mbit/s, minimum: 10, maximum: 1000, default: 100}
    components:
      - {name: overlay, metered: true, passes: [speed_mbps],
         sources: [{seller: bt, offer: connect}]}
prices:
  - {price_list: retail, offer: line, currency: ZAR, one_off: 0, monthly: 100,
     margin_bp: 1500, valid_from: 2026-01-01}
taxes:
  - {supplier_country: ZA, customer_country: ZA, valid_from: 2026-01-01,
     tax: {code: standard, rate_bp: 1500, legend: VAT 15 %}}
customers:
  - {party: {id: retailer, name: Retailer, country: ZA, currency: ZAR}, price_list: retail}
"""

AGREEMENT = """
name: Africa
parties: [{party: bt, role: lead}, {party: mtn, role: partner}]
valid_from: 2026-01-01
items:
  - {seller: bt, buyer: mtn, offers: [connect], countries: [ZA, GH], price_list: alliance,
     currency: GBP, credit_limit: {minor: 2500000, currency: GBP}}
gates: [licence]
netting:
  centre: bt
  countries:
    - {country: GB, mode: multilateral, source: example}
    - {country: ZA, mode: multilateral, source: example}
"""

RATES = "rates: [{base: GBP, quote: ZAR, day: 2026-10-30, source: example, rate: 23.4150}]"

NEED = """
items:
  - {id: jhb, offer: line, site: {id: jhb, name: Shop, country: ZA, place: Johannesburg}}
"""

MONTH = ("--period", "2026-11")


@contextmanager
def served(desk: Desk) -> Iterator[None]:
    """The operator's API, answering at its port."""
    with desk.node() as node, api.door(node, http.app(node)) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


class Two:
    """The supplier and the reseller, each with its API running and its data entered."""

    def __init__(self, desks: Callable[..., Desk], folder: Path) -> None:
        self.bt = desks("bt")
        self.mtn = desks("mtn", "ZA", "ZAR")
        self._folder = folder

    def file(self, name: str, text: str) -> str:
        file = self._folder / name
        file.write_text(text)
        return str(file)

    def work(self) -> None:
        """Both do what is due until neither has anything left."""
        for _ in range(4):
            self.bt.work()
            self.mtn.work()

    def join(self) -> None:
        card, other = str(self._folder / "bt.card"), str(self._folder / "mtn.card")
        self.bt("partner", "invite", "--out", card)
        self.mtn("partner", "join", card, "--out", other)
        self.bt("partner", "join", other)

    def enter(self) -> None:
        rates = self.file("rates.yaml", RATES)
        for desk, text in ((self.bt, SUPPLIER), (self.mtn, RESELLER)):
            desk("catalogue", "import", self.file("operator.yaml", text))
            desk("catalogue", "rates", "import", rates)


@pytest.fixture
def two(desks: Callable[..., Desk], tmp_path: Path) -> Iterator[Two]:
    made = Two(desks, tmp_path)
    with ExitStack() as held:
        held.enter_context(served(made.bt))
        held.enter_context(served(made.mtn))
        made.join()
        made.enter()
        yield made


def agree(two: Two) -> str:
    """Drafted, signed by both, launched in South Africa and not in Ghana."""
    draft = two.bt.json("agreement", "draft", two.file("agreement.yaml", AGREEMENT))
    agreement = str(draft["ref"]["id"])
    two.work()
    (heard,) = two.mtn.json("agreement", "list")
    assert (heard["fingerprint"], heard["state"]) == (draft["fingerprint"], "draft")
    assert "agreement-unsigned" in two.bt.refused("agreement", "launch", agreement, "ZA")
    assert "not signed by  mtn" in two.bt("agreement", "sign", agreement).out
    two.work()
    two.mtn("agreement", "sign", agreement)
    two.work()
    assert "gate-open" in two.bt.refused("agreement", "launch", agreement, "ZA")
    assert "agreement-not-lead" in two.mtn.refused("agreement", "launch", agreement, "ZA")
    gate = ("agreement", "gate", agreement, "ZA", "licence", "--evidence", "no. 7")
    passed = two.bt.json(*gate)["countries"]
    assert [one["gates"][0]["by"] for one in passed if one["gates"]] == ["ada"]
    assert two.bt.json("agreement", "launch", agreement, "ZA")["state"] == "live"
    two.work()
    return agreement


def test_from_cards_to_books_that_agree(two: Two, clock_file: Path) -> None:
    need = two.file("need.yaml", NEED)
    make = ("quote", "make", "--for", "retailer")
    assert "(agreement-missing)" in two.mtn.refused(*make, need)
    agreement = agree(two)
    shown = two.mtn("agreement", "show", agreement, "--version", "1").out
    assert "25,000.00 GBP" in shown
    assert "licence: no. 7" in shown
    ghana = two.file("ghana.yaml", NEED.replace("country: ZA", "country: GH"))
    assert two.mtn.refused(*make, ghana).startswith("refused (country-not-launched): ")
    (offer,) = two.bt.json("catalogue", "offers", "--for", "mtn")
    assert offer["countries"] == ["ZA"]

    quote = two.mtn.json(*make, need)["id"]
    assert "23.4150 example 2026-10-30" in two.mtn("quote", "show", quote).out
    order = two.mtn.json("order", "place", quote, "--for", "retailer", "--key", "k")["id"]
    two.mtn.work()
    trace = two.mtn("order", "trace", order).out
    assert "bt: overlay, inProgress, order ord_" in trace
    two.work()
    trace = two.mtn("order", "trace", order).out
    assert trace.startswith(f"mtn: order {order} for retailer, completed, 2 hops\n")
    (sold,) = two.bt.json("order", "list", "--for", "mtn")
    assert sold["order"]["id"] in trace

    set_clock(clock_file, datetime(2026, 12, 1, 6, tzinfo=UTC))
    two.work()
    (statement,) = two.mtn.json("settle", "statements", *MONTH, "--partner", "bt")
    paper = statement["statement"]["id"]
    assert "is issued" in two.mtn("settle", "positions", *MONTH).out
    assert "mtn owes bt" in two.mtn("settle", "show", paper).out
    assert two.mtn.json("settle", "compare", paper)["differences"] == []
    sheet = two.file("statement.csv", "")
    two.mtn("settle", "export", paper, "--as", "csv", "--out", sheet)
    assert Path(sheet).read_text("utf-8-sig").startswith("line,offer,description,")
    two.mtn("settle", "export", paper, "--as", "xlsx", "--out", sheet)
    assert Path(sheet).read_bytes().startswith(b"PK")
    assert "choice-unknown" in two.mtn.refused(
        "settle", "export", paper, "--as", "pdf", "--out", sheet
    )
    assert "statement-agrees" in two.mtn.refused("settle", "dispute", "statement", paper)
    assert "statement-unchanged" in two.bt.refused("settle", "correct", paper)
    assert "difference-unknown" in two.mtn.refused("settle", "accept", paper, "x", "--why", "y")
    assert "statement-unknown" in two.bt.refused("settle", "confirm", paper, exit_code=4)
    assert two.mtn.json("settle", "confirm", paper)["state"] == "confirmed"
    two.work()
    (invoice,) = two.mtn.json("bill", "list", "--received")
    (bill,) = two.bt.json("bill", "list", "--for", "mtn", "--state", "sent")
    assert (invoice["number"], invoice["net"]) == (bill["number"], bill["net"])
    assert invoice["number"] in two.mtn("bill", "list", "--received").out

    _netting_among_many(two)
    (ours,) = two.mtn.json("settle", "net", *MONTH)
    (theirs,) = two.bt.json("settle", "net", *MONTH)
    assert ours["netted"]["minor"] == -theirs["netted"]["minor"] != 0
    (ours,) = two.mtn.json("settle", "books", "--partner", "bt")["lines"]
    (theirs,) = two.bt.json("settle", "books")["lines"]
    assert ours["settlement"]["minor"] == -theirs["settlement"]["minor"]
    assert "holds" in two.bt("settle", "books").out


def _netting_among_many(two: Two) -> None:
    """Called, signed by both over the wire, posted, and paid by a file."""
    (agreement,) = {one["ref"]["id"] for one in two.bt.json("agreement", "list")}
    call = ("clearing", "call", agreement, *MONTH, "--currency", "GBP")
    assert "netting-party" in two.mtn.refused(*call)
    round = two.bt.json(*call)["call"]["round"]
    two.work()
    assert two.mtn.json("clearing", "show", round)["state"] == "proposed"
    two.mtn("clearing", "sign", round)
    two.bt("clearing", "sign", round)
    two.work()
    for desk in (two.bt, two.mtn):
        assert desk.json("clearing", "show", round)["state"] == "settled"
        assert "settled" in desk("clearing", "list").out
    file = two.file("picture.svg", "")
    assert "mtn → bt" in two.bt("clearing", "show", round, "--svg", file).out
    assert Path(file).read_text().startswith("<svg ")
    assert "netting-settled" in two.mtn.refused("clearing", "refuse", round, "--why", "late")
    pay = ("clearing", "pay", *MONTH, "--currency", "GBP", "--on", "2026-12-30", "--out", file)
    assert "bank-account-missing" in two.mtn.refused(*pay)
    number = ("--number", "GB82WEST12345698765432")
    for party in ("bt", "mtn"):
        made = two.mtn(
            "clearing", "account", party, *number, "--bic", "BARCGB22", "--holder", party,
            "--by", "Ben",
        ).out.split()[0]  # fmt: skip
        same = ("clearing", "confirm", made, *number, "--by")
        assert "bank-account-same-person" in two.mtn.refused(*same, "Ben")
        two.mtn(*same, "Ada")
    assert "…5432" in two.mtn("clearing", "accounts").out
    (due,) = two.mtn.json("clearing", "due", *MONTH)
    order = two.mtn(*pay).out.split(":")[0]
    written = Path(file).read_text()
    assert f"<EndToEndId>{due['settlement']}</EndToEndId>" in written
    two.mtn("clearing", "ordered", order, "--out", file)
    assert Path(file).read_text() == written
    assert "nothing-due" in two.mtn.refused(*pay)


def test_an_agreement_is_suspended_resumed_renewed_and_ended(two: Two) -> None:
    need = two.file("need.yaml", NEED)
    make = ("quote", "make", "--for", "retailer", need)
    agreement = agree(two)
    assert "agreement-not-lead" in two.mtn.refused("agreement", "suspend", agreement)
    for act, state, code in (
        ("suspend", "suspended", "agreement-suspended"),
        ("resume", "live", ""),
        ("run-off", "run-off", "agreement-run-off"),
    ):
        assert two.bt.json("agreement", act, agreement)["state"] == state
        two.work()
        assert two.mtn.json("agreement", "show", agreement)["state"] == state
        if code:
            assert two.mtn.refused(*make).startswith(f"refused ({code}): ")
        else:
            two.mtn(*make)
    later = two.file("later.yaml", AGREEMENT.replace("2026-01-01", "2027-01-01"))
    drafted = two.bt.json("agreement", "draft", later, "--next-of", agreement)
    assert drafted["ref"] == {"id": agreement, "version": 2}
    assert "ended" in two.mtn("agreement", "end", agreement, "--json").out


def test_a_partner_that_does_not_answer_is_to_be_tried_later(
    desks: Callable[..., Desk], tmp_path: Path
) -> None:
    two = Two(desks, tmp_path)
    with served(two.mtn):
        with served(two.bt):
            two.join()
            two.enter()
            agree(two)
        need = two.file("need.yaml", NEED)
        line = two.mtn.refused("quote", "make", "--for", "retailer", need, exit_code=5)
    assert line.startswith("try-later (partner-silent): ")
