"""What the audience of a demo sees: who does what, what it costs, and that the books agree."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hansa.entrypoints.demo.model import Outcome, Placed, Scenario
from hansa.federation.contract import Quote
from hansa.federation.papers import StatementLine
from hansa.foundation.errors import Refused
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money, add_up
from hansa.foundation.party import Party
from hansa.foundation.readings import Check
from hansa.lifecycle.agreement.model import Agreement


class Show:
    """Prints to a console; colours mark operators, but nothing is told by colour alone."""

    COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red")

    def __init__(self, console: Console) -> None:
        self._console = console
        self._colours: dict[PartyId, str] = {}

    def _who(self, party: PartyId, name: str | None = None) -> Text:
        if party not in self._colours:
            self._colours[party] = self.COLOURS[len(self._colours) % len(self.COLOURS)]
        return Text(name or party, style=f"bold {self._colours[party]}")

    def _line(self, *parts: str | Text, indent: int = 1) -> None:
        self._console.print(Text("  " * indent), *parts, sep="", soft_wrap=True)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """A moving sign that something is being done."""
        return self._console.status(f"{what} ...")

    def title(self, scenario: Scenario) -> None:
        self._console.print()
        self._console.rule(f"[bold]{scenario.title}")
        self._console.print(Text(scenario.about, style="dim"))
        self._console.print(
            Text(
                f"The calendar starts on {scenario.starts:%d %B %Y} and is moved by the demo. "
                "Nobody waits for a month: usage that comes from a seed is told as simulated.",
                style="dim",
            )
        )

    def network(self, real: bool, why_not: str | None, remedy: str) -> None:
        """Whether services are delivered for real, or what is missing for it."""
        words = "The network is simulated: nothing is delivered, nothing of it is a measurement."
        if real:
            words = "Services are delivered on real daemons in a lab on this machine."
        self._console.print(Text(words, style="dim"))
        if why_not is not None:
            self._console.print(Text(f"For real daemons: {why_not}. {remedy}", style="dim"))
        self._console.print()

    def heading(self, words: str) -> None:
        self._console.print()
        self._console.print(Text(words, style="bold underline"))

    def say(self, words: str) -> None:
        if words:
            self._console.print()
            self._console.print(Text(f"> {words}", style="italic"))

    def node(self, party: Party, address: str) -> None:
        self._line(
            self._who(party.id, party.name), f" ({party.country}, {party.currency}) at {address}"
        )

    def agreement(self, agreement: Agreement, launched: Sequence[str]) -> None:
        parties = ", ".join(agreement.parties)
        self._line(
            f"Agreement {agreement.document.name}: signed by {parties} over "
            f"{agreement.fingerprint[:12]}, live in {', '.join(launched) or 'no country'}"
        )

    def quote(self, seller: Party, customer: PartyId, quote: Quote) -> None:
        one_off = add_up((line.terms.one_off for line in quote.lines), quote.currency)
        monthly = add_up((line.terms.monthly for line in quote.lines), quote.currency)
        usage = " and usage" if any(line.terms.tariff for line in quote.lines) else ""
        lines = "1 line" if len(quote.lines) == 1 else f"{len(quote.lines)} lines"
        self._line(
            self._who(seller.id, seller.name),
            f" quotes {customer}: {lines}, {one_off} once, {monthly} a month"
            f"{usage}, tax apart, until {quote.valid_until:%d %B}",
        )

    def draft(self, seller: Party, title: str, had: int, of: int) -> None:
        """What sales have begun, for the portal."""
        self._line(
            self._who(seller.id, seller.name),
            f" has a quote in its portal, {title!r}: {had} of {of} sites can be had",
        )

    def order(self, placed: Placed, legs: Sequence[tuple[int, PartyId, str, str]]) -> None:
        self._line(
            self._who(placed.operator),
            f" completes {placed.name!r} in {placed.seconds * 1000:.0f} ms, "
            f"{placed.progress.hops} {'sale' if placed.progress.hops == 1 else 'sales'} in a row",
        )
        for depth, seller, label, state in legs:
            self._line("- ", self._who(seller), f" {label}: {state}", indent=2 + depth)

    def refused(self, refusal: Refused) -> None:
        self._line(f"refused ({refusal.code}): {refusal.words}")

    def unmeasured(self) -> None:
        self._line("nothing to measure: the network is simulated")

    def used(self, party: PartyId, told: Mapping[tuple[str, bool | None], int]) -> None:
        """What a node has of a month's readings, by kind and whether a device was read."""
        words = ", ".join(
            f"{count} {READINGS[kind]} {'measured' if measured else 'simulated'}"
            for (kind, measured), count in sorted(told.items(), key=str)
        )
        self._line(self._who(party), f" has readings: {words or 'none'}")

    def measured(self, checks: Sequence[Check]) -> None:
        for one in checks:
            self._line(
                f"measured: {one.check}: {one.measured} (sold: {one.wanted})"
                f"{'' if one.ok else ' -- NOT AS SOLD'}"
            )

    # --- the end --------------------------------------------------------------------------------

    def outcome(self, outcome: Outcome, parties: Mapping[PartyId, Party]) -> None:
        self._orders(outcome)
        self._invoices(outcome)
        self._statements(outcome)
        self._positions(outcome)
        self._proof(outcome)
        self._console.print(
            Text(
                f"{outcome.scenario.title}: {len(parties)} operators, {len(outcome.placed)} "
                f"orders, {outcome.seconds:.1f} s",
                style="dim",
            )
        )

    def _table(self, title: str, *columns: tuple[str, bool]) -> Table:
        table = Table(title=title, title_justify="left", title_style="bold", expand=False)
        for name, numeric in columns:
            table.add_column(
                name, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold"
            )
        return table

    def _orders(self, outcome: Outcome) -> None:
        table = self._table(
            "Orders",
            ("order", False),
            ("customer", False),
            ("at", False),
            ("state", False),
            ("sales", True),
            ("time", True),
        )
        for one in outcome.placed:
            table.add_row(
                one.name,
                one.customer,
                self._who(one.operator),
                one.progress.state,
                str(one.progress.hops),
                f"{one.seconds * 1000:.0f} ms",
            )
        self._console.print(table)

    def _invoices(self, outcome: Outcome) -> None:
        table = self._table(
            "Invoices",
            ("number", False),
            ("from", False),
            ("to", False),
            ("for", False),
            ("lines", True),
            ("net", True),
            ("tax", True),
            ("total", True),
        )
        for bill in outcome.bills:
            table.add_row(
                bill.number,
                self._who(bill.issuer),
                bill.buyer,
                bill.kind_of.replace("-", " "),
                str(len(bill.lines)),
                str(bill.net),
                str(bill.tax),
                str(bill.net + bill.tax),
            )
        self._console.print(table)

    def _statements(self, outcome: Outcome) -> None:
        for held in outcome.statements:
            paper = held.statement
            table = self._table(
                f"Statement of {paper.period.name}: {paper.debtor} owes {paper.creditor} "
                f"({paper.kind_of.replace('-', ' ')}), invoiced as {held.number}",
                ("line", False),
                ("quantity", True),
                ("unit", False),
                ("net", True),
            )
            for words, quantity, unit, net in _folded(paper.lines, outcome.simulated):
                table.add_row(words, quantity, unit, str(net))
            table.add_section()
            signer = held.confirmation.signature.party if held.confirmation else "?"
            table.add_row(
                f"confirmed and signed by {signer}: every line computed on both sides",
                "",
                "",
                str(paper.net),
                style="bold",
            )
            self._console.print(table)

    def _positions(self, outcome: Outcome) -> None:
        table = self._table(
            "Net positions",
            ("books of", False),
            ("with", False),
            ("receivable", True),
            ("payable", True),
            ("net", True),
        )
        for party, position in outcome.positions:
            table.add_row(
                self._who(party),
                self._who(position.partner),
                str(position.receivable),
                str(position.payable),
                str(position.netted),
            )
        self._console.print(table)

    def _proof(self, outcome: Outcome) -> None:
        table = self._table(
            "Do the books agree?",
            ("between", False),
            ("currency", False),
            ("the one says", True),
            ("the other says", True),
            ("agree", False),
        )
        for pair in outcome.proof.pairs:
            table.add_row(
                f"{pair.a} and {pair.b}",
                pair.currency,
                str(pair.a_says.settlement),
                str(pair.b_says.settlement),
                "yes" if pair.ok else "NO",
            )
        self._console.print(table)
        for broken in outcome.proof.breaks:
            self._console.print(Text(f"  {broken}", style="bold red"))
        sums = ", ".join(str(total) for total in outcome.proof.sums)
        verdict = "All books agree" if outcome.proof.ok else "THE BOOKS DO NOT AGREE"
        self._console.print(
            Text(
                f"{verdict}: net positions add up to {sums or 'nothing'}; every ledger's hash "
                "chain was recomputed from its entries.",
                style="bold",
            )
        )


READINGS = {"call": "calls", "octets": "days of octets", "seats": "days of seats"}

FOLD_ABOVE = 6
"""So many usage lines of one holding are shown as they are; more are shown as one sum."""


def _folded(
    lines: Sequence[StatementLine], simulated: Collection[str]
) -> Iterator[tuple[str, str, str, Money]]:
    """Lines as they are shown: words, quantity, unit and net. `hansa settle` shows each one.

    simulated: holdings; what is charged for their usage is marked so.
    """
    for (holding, usage), group in itertools.groupby(lines, key=_holding_and_kind):
        same = list(group)
        mark = " (simulated)" if usage and holding in simulated else ""
        if usage and len(same) > FOLD_ABOVE:
            words = same[0].description.partition(",")[0]
            net = add_up((line.net for line in same), same[0].net.currency)
            yield f"{words}, usage in {len(same)} lines{mark}", "", "", net
            continue
        for line in same:
            yield f"{line.description}{mark}", f"{line.quantity.normalize():f}", line.unit, line.net


def _holding_and_kind(line: StatementLine) -> tuple[str, bool]:
    holding, _, what = line.key.partition("/")
    return holding, what.startswith("usage/")
