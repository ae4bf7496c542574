"""A day and a month at one operator's command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hansa.foundation.documents import Json
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PlanId, TaskId, TraceId
from hansa.foundation.plan import actions as plans
from hansa.foundation.plan.engine import Engine
from hansa.foundation.plan.model import Done, Outcome, Outside, Retry, Step, Task
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction
from tests.entrypoints.desk import Desk, set_clock

Need = Callable[..., str]


def quoted(shop: Desk, need: str, customer: str = "shop") -> str:
    return str(shop.json("quote", "make", "--for", customer, need)["id"])


def placed(shop: Desk, quote: str, key: str = "po-1", customer: str = "shop") -> str:
    return str(shop.json("order", "place", quote, "--for", customer, "--key", key)["id"])


def held(shop: Desk, order: str) -> str:
    (provided,) = shop.json("order", "show", order)["progress"]["provided"]
    return str(provided["holding"])


def test_what_is_entered_is_listed(shop: Desk, tmp_path: Path) -> None:
    again = shop.json("catalogue", "import", str(tmp_path / "operator.yaml"))
    assert again == {
        "products": 1, "coverage": 1, "offers": 1, "prices": 1, "taxes": 1, "customers": 2,
    }  # fmt: skip
    (offer,) = shop.json("catalogue", "offers")
    assert offer["components"][0]["sources"][0]["seller"] == "acme"
    (seen,) = shop.json("catalogue", "offers", "--for", "shop")
    assert seen["terms"]["one_off"] == {"minor": 5000, "currency": "GBP"}
    assert "50.00 GBP" in shop("catalogue", "offers", "--for", "shop").out
    shop(
        "catalogue", "customers", "add", "third", "--name", "Third", "--country", "GB",
        "--currency", "GBP", "--price-list", "retail", "--credit-limit", "2,500.50",
    )  # fmt: skip
    assert [one["party"]["id"] for one in shop.json("catalogue", "customers", "list")] == [
        "other", "shop", "third",
    ]  # fmt: skip
    assert "2,500.50 GBP" in shop("catalogue", "customers", "list").out


def test_rates_are_recorded_once(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "rates.yaml"
    file.write_text("rates: [{base: GBP, quote: EUR, day: 2026-11-02, source: ecb, rate: 1.1503}]")
    assert desk.json("catalogue", "rates", "import", str(file)) == {"rates": 1}
    desk("catalogue", "rates", "import", str(file))
    file.write_text(file.read_text().replace("1.1503", "1.2"))
    assert desk.refused("catalogue", "rates", "import", str(file)).startswith(
        "refused (rate-on-record): "
    )


def test_an_order_from_need_to_cease(shop: Desk, need: Need) -> None:
    said = shop("quote", "make", "--for", "shop", need())
    assert "150.00 GBP" in said.out
    (quote,) = [one["id"] for one in shop.json("quote", "list", "--for", "shop")]
    assert "identity" in shop("quote", "show", quote).out
    order = placed(shop, quote)
    assert placed(shop, quote) == order
    assert shop.json("ledger", "exposure", "shop")["exposure"]["minor"] == 24000
    shop.work()
    trace = shop("order", "trace", order).out
    assert trace.startswith(f"acme: order {order} for shop, completed, 1 hop\n")
    assert "own network: access, completed, order ord_" in trace
    (leg,) = shop.json("order", "trace", order)["legs"]
    assert (leg["seller"], leg["state"]) == ("acme", "completed")
    holding = held(shop, order)
    assert holding in shop("inventory", "list", "--for", "shop").out
    assert shop.json("inventory", "list", "--bought") == []
    (own,) = shop.json("inventory", "list", "--own")
    shown = shop.json("inventory", "show", holding, "--check")
    assert shown["stands_on"] == [{"seller": "acme", "holding": own["ref"]["id"], "metered": True}]
    assert shown["condition"]["state"] == "active"
    assert "imagined" in shop("inventory", "show", holding, "--check").out
    assert "holding-unknown" in shop.refused("inventory", "show", "hld_none", exit_code=4)

    change = ("order", "change", holding, "--for", "shop", "--key", "po-2", "--set")
    changed = shop.json(*change, "speed_mbps=400")
    shop.work()
    assert shop.json(*change, "speed_mbps=400")["id"] == changed["id"]
    assert "key-reused" in shop.refused(*change, "speed_mbps=500")
    cease = shop.json("order", "cease", order, "--for", "shop", "--key", "po-3")
    shop.work()
    states = {one["order"]["id"]: one["order"]["state"] for one in shop.json("order", "list")}
    assert states == {order: "completed", changed["id"]: "completed", cease["id"]: "completed"}
    assert "cease" in shop("order", "list", "--state", "completed").out
    assert shop.json("order", "list", "--for", "other") == []


def _bill_is_exported(shop: Desk, bill: str) -> None:
    file = shop.folder / "paper"
    export = ("bill", "export", bill, "--out", str(file), "--as")
    assert "tax-number-missing" in shop.refused(*export, "ubl")
    settings = shop.folder / "node.toml"
    text = settings.read_text()
    settings.write_text(text.replace('tax_id = ""', 'tax_id = "123456789"'))
    shop(*export, "ubl")
    assert b"<cbc:CompanyID>GB123456789</cbc:CompanyID>" in file.read_bytes()
    assert "endpoint-missing" in shop.refused(*export, "peppol")
    assert "endpoint-invalid" in shop.refused("bill", "particulars", "acme", "--endpoint", "x")
    for party in ("acme", "shop"):
        shop("bill", "particulars", party, "--endpoint", f"0088:{party}", "--city", "London")
    shop("bill", "particulars", "shop", "--city", "Leeds")
    assert shop.json("bill", "particulars", "shop") == {
        "party": "shop", "street": "", "city": "Leeds", "postcode": "", "registration": "",
        "endpoint": "0088:shop",
    }  # fmt: skip
    assert "customer-unknown" in shop.refused("bill", "particulars", "nobody", exit_code=4)
    shop(*export, "peppol")
    assert b"Leeds" in file.read_bytes()
    shop(*export, "pdf")
    assert file.read_bytes().startswith(b"%PDF-")


def _bill_is_paid(shop: Desk, bill: str, number: str) -> None:
    noted = ("bill", "paid", bill, "--reference", "transfer 4711")
    assert "date-invalid" in shop.refused(*noted, "--amount", "1", "--on", "soon")
    refused = shop.refused(*noted, "--amount", "0.01", "--on", "2026-12-01")
    assert "payment-invalid" in refused and "is open" in refused
    due = refused.partition(": ")[2].split()[0]
    paid = shop(*noted, "--amount", due, "--on", "2026-12-01").out
    assert paid == f"Settled: {number}\n"
    assert "was settled before" in shop(*noted, "--amount", due, "--on", "2026-12-01").out
    assert shop.json("bill", "list", "--state", "settled")[0]["id"] == bill
    (owed,) = shop.json("ledger", "balances", "--party", "shop")
    assert owed["balance"]["minor"] == 0


def test_a_month_is_billed_and_explained(shop: Desk, need: Need, clock_file: Path) -> None:
    order = placed(shop, quoted(shop, need()))
    shop.work()
    holding = held(shop, order)
    month = ("--period", "2026-11")
    line = shop.refused("usage", "show", holding, *month, exit_code=5)
    assert line.startswith("try-later (usage-not-ready): ")
    assert line.endswith("[period]")
    set_clock(clock_file, datetime(2026, 12, 1, 6, tzinfo=UTC))
    shop.work()
    shown = shop.json("usage", "show", holding, *month)
    assert shown["readings"] == 29
    assert len(shop.json("usage", "show", holding, *month, "--records")["records"]) == 29
    assert "288 values" in shop("usage", "show", holding, *month, "--records").out
    (charge,) = shown["charges"]
    explained = shop("usage", "explain", holding, charge["label"], *month).out
    assert "arithmetic" in explained
    key = f"{holding}/usage/{charge['label']}"
    assert shop.json("usage", "explain", holding, key, *month) == charge
    assert "charge-unknown" in shop.refused("usage", "explain", holding, "x", *month, exit_code=4)

    (bill,) = shop.json("bill", "list", "--for", "shop", *month, "--state", "validated")
    assert bill["number"] in shop("bill", "list").out
    assert key in shop("bill", "show", bill["id"]).out
    paper = shop("bill", "show", bill["id"], "--text").out
    assert paper.startswith(f"INVOICE {bill['number']}\n")
    assert shop.json("bill", "show", bill["id"]) == bill
    assert shop.json("bill", "list", "--received") == []
    _bill_is_exported(shop, bill["id"])
    receivable = shop.json("ledger", "balances", "--party", "shop")
    owed = bill["net"]["minor"] + bill["tax"]["minor"]
    assert [one["balance"]["minor"] for one in receivable] == [owed]
    assert f"{owed // 100}.{owed % 100:02} GBP" in shop("ledger", "journal").out
    (entry,) = shop.json("ledger", "journal", "--account", "receivable/shop/GBP")
    assert entry["ref"] == bill["number"]
    _bill_is_paid(shop, bill["id"], bill["number"])
    head = shop.json("ledger", "verify")["head"]
    told = f"{head['batches']}:{head['entries']}:{head['hash']}"
    assert "The books hold" in shop("ledger", "verify", "--head", told).out
    false = told[:-8] + ("0" * 8 if told[-8:] != "0" * 8 else "1" * 8)
    assert "BROKEN" in shop("ledger", "verify", "--head", false, exit_code=3).out
    assert shop.json("settle", "positions", *month) == []
    assert shop.json("settle", "statements") == []


def test_fallout_is_seen_repaired_and_resumed(desk: Desk) -> None:
    task = TaskId("tsk_one")

    def stumble(task: Task, now: Instant) -> Json:
        raise TryLater("busy", f"no such thing as {task.body['what']}")

    def done(tx: Transaction, task: Task, answer: Json, now: Instant) -> Outcome:
        return Done(answer)

    with desk.node() as node:
        now = node.clock.now()
        with node.begin() as tx:
            step = Step(task, "test.stumble", {"what": "this"}, label="stumbling")
            plans.write(
                tx, plan_id=PlanId("pln_one"), subject="ord_one", kind="test",
                trace=TraceId("0" * 32), steps=[step], now=now,
            )  # fmt: skip
        Engine(
            node.begin, {"test.stumble": Outside(stumble, done, Retry(attempts=1))}, node.clock
        ).run_until_idle()
    (plan,) = desk.json("order", "fallout")
    assert (plan["subject"], plan["tasks"][0]["state"]) == ("ord_one", "held")
    assert "no such thing as this" in desk("order", "fallout").out
    why = ("--why", "told by phone")
    assert "task-input-unknown" in desk.refused("order", "repair", task, "--set", "x=1", *why)
    assert "pair-invalid" in desk.refused("order", "repair", task, "--set", "x", *why)
    repaired = desk.json("order", "repair", task, "--set", 'what="that"', *why)
    assert repaired["tasks"][0]["body"] == {"what": "that"}
    assert "malformed" in desk.refused("order", "by-hand", task, "--output", "{", *why)
    assert "ready" in desk("order", "resume", task, *why).out
    assert "task-not-held" in desk.refused("order", "resume", task, *why)
    assert "task-unknown" in desk.refused("order", "resume", "tsk_two", *why, exit_code=4)
    with desk.node() as node, node.begin() as tx:
        acts = plans.interventions(tx, plan=PlanId("pln_one"))
    assert [(act.act, act.by, act.why) for act in acts] == [
        ("repair", "ada", "told by phone"),
        ("resume", "ada", "told by phone"),
    ]


def test_an_order_on_its_way_is_taken_back(shop: Desk, need: Need) -> None:
    order = placed(shop, quoted(shop, need()))
    why = ("--why", "the customer withdrew")
    assert "order-not-begun" in shop.refused("order", "cancel", order, *why, exit_code=5)
    with shop.node() as node, node.begin() as tx:
        node.deliver(tx, node.clock.now())
    assert shop.json("order", "cancel", order, *why)["subject"] == order
    shop.work()
    assert shop.json("order", "show", order)["progress"]["state"] == "cancelled"
    assert "order-not-cancellable" in shop.refused("order", "cancel", order, *why)
    assert shop.json("ledger", "exposure", "shop")["exposure"]["minor"] == 0
