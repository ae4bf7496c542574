"""What a month costs: one rule for what we sell and for what we buy.

A monthly price is due in proportion to exact time: the microseconds in the period over the
microseconds of its calendar month, rounded half up once a line. A one-off is due in the
period in which its spell starts, a charge for a cancelled order in the one in which nothing was
left of it. Tax is rounded once a line, on the rounded net. A line
whose net rounds to zero is left out, on both sides alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from hansa.federation.contract import AgreementRef, Tax
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import BillStage, ShelfBill
from hansa.foundation.ids import EntryId, PartyId
from hansa.foundation.money import Money, Rounding, add_up, from_nano
from hansa.foundation.party import Party
from hansa.foundation.time import Instant, Period, instant_name
from hansa.ledger.model import AccountKind, AccountSpec, Leg, NewEntry
from hansa.lifecycle.billing.model import (
    Bill,
    BillKind,
    BillLine,
    Group,
    KeptBill,
    SupplierInvoice,
    TaxTotal,
)
from hansa.lifecycle.inventory.model import Holding, Spell
from hansa.lifecycle.order.model import Charge
from hansa.lifecycle.rating.model.lines import RatedLine

HALF_UP = Rounding.HALF_UP

Costs = tuple[tuple[str, Money], ...]
"""Net amounts by family of service, by name."""


def share_of_month(part: Period) -> Fraction:
    """How much of its calendar month a part lasts, exact; 1 for the whole month.

    Raises ValueError for a part that reaches over the end of its month.
    """
    month = Period.month_of(part.start)
    if part.end > month.end:
        raise ValueError(f"{part.start} to {part.end} is in more than one calendar month")
    return part.share_of(month)


def tax_on(net: Money, tax: Tax) -> Money:
    """The tax on one rounded net amount, rounded once."""
    return net.part(tax.rate_bp, rounding=HALF_UP)


def lines(holding: Holding, rated: Sequence[RatedLine], period: Period) -> tuple[BillLine, ...]:
    """All that one holding costs in a period that lies within one calendar month.

    For each spell, in time order, its one-off if it starts in the period and its monthly
    price in proportion; then usage by label. rated: the rated usage of this holding in this
    period. A spell that lasted no time costs nothing.
    """
    drafts = [*_recurring(holding, period), *_usage(holding, rated, period)]
    return tuple(line for line in drafts if line.net)


def _recurring(holding: Holding, period: Period) -> Iterator[BillLine]:
    for spell in holding.spells:
        if (part := period.meet(spell.start, spell.end)) is None:
            continue
        if period.holds(spell.start):
            yield _line(
                holding,
                spell,
                what=f"one-off@{instant_name(spell.start)}",
                words="one-off",
                quantity=Decimal(spell.quantity),
                unit="item",
                net=spell.terms.one_off,
            )
        share = share_of_month(part)
        whole = share == 1
        yield _line(
            holding,
            spell,
            what=f"monthly@{instant_name(spell.start)}",
            words=f"{part.start:%Y-%m}"
            if whole
            else f"{_moment(part.start)} to {_moment(part.end)}",
            quantity=Decimal(spell.quantity),
            unit="month" if whole else "part month",
            net=spell.terms.monthly.times(share, rounding=HALF_UP),
        )


def _line(
    holding: Holding,
    spell: Spell,
    *,
    what: str,
    words: str,
    quantity: Decimal,
    unit: str,
    net: Money,
) -> BillLine:
    return BillLine(
        key=f"{holding.ref.id}/{what}",
        offer=holding.offer,
        description=f"{_name(holding)}, {words}",
        quantity=quantity,
        unit=unit,
        net=net,
        tax=tax_on(net, spell.tax),
        tax_code=spell.tax.code,
        rate_bp=spell.tax.rate_bp,
        legend=spell.tax.legend,
        holding=holding.ref.id,
        order=spell.order,
        family=holding.family,
    )


def _usage(holding: Holding, rated: Sequence[RatedLine], period: Period) -> Iterator[BillLine]:
    """Usage is taxed, and counted towards an order, by the last spell before the period's end."""
    spell = next(
        (one for one in reversed(holding.spells) if one.start < period.end), holding.spells[0]
    )
    for usage in sorted(rated, key=lambda one: one.label):
        yield _line(
            holding,
            spell,
            what=f"usage/{usage.label}",
            words=usage.description,
            quantity=usage.quantity,
            unit=usage.unit,
            net=from_nano(usage.nano, usage.currency, rounding=HALF_UP),
        )


def _name(holding: Holding) -> str:
    return f"{holding.offer_name} ({holding.site.name})" if holding.site else holding.offer_name


def charge_line(charge: Charge) -> BillLine:
    """What one line of an order costs that was taken back while it was being worked on."""
    name = f"{charge.offer_name} ({charge.site})" if charge.site else charge.offer_name
    return BillLine(
        key=f"{charge.order}/cancellation/{charge.item}",
        offer=charge.offer,
        description=f"{name}, cancelled on {_moment(charge.due_at)} UTC after work on it had begun",
        quantity=Decimal(charge.quantity),
        unit="item",
        net=charge.net,
        tax=tax_on(charge.net, charge.tax),
        tax_code=charge.tax.code,
        rate_bp=charge.tax.rate_bp,
        legend=charge.tax.legend,
        holding=charge.holding,
        order=charge.order,
        family=charge.family,
    )


def _moment(at: Instant) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def gathered(
    priced: Iterable[tuple[Holding, Sequence[BillLine]]],
    charges: Sequence[Charge] = (),
    *,
    by: Literal["seller", "buyer"],
) -> tuple[Group, ...]:
    """Lines as they belong on bills: by counterparty, agreement version and currency.

    by: which side of the trade is the counterparty. Holdings by id, each one's lines in order;
    then what cancelled orders cost, as they are given.
    """
    found: dict[tuple[PartyId, AgreementRef | None, str], list[BillLine]] = {}
    for holding, its in sorted(priced, key=lambda pair: pair[0].ref.id):
        party = holding.ref.seller if by == "seller" else holding.buyer
        for currency in dict.fromkeys(line.net.currency for line in its):
            group = found.setdefault((party, holding.agreement, currency), [])
            group += (line for line in its if line.net.currency == currency)
    for charge in charges:
        party = charge.seller if by == "seller" else charge.buyer
        group = found.setdefault((party, charge.agreement, charge.net.currency), [])
        group.append(charge_line(charge))
    return tuple(
        Group(party=party, agreement=agreement, currency=currency, lines=tuple(its))
        for (party, agreement, currency), its in sorted(
            found.items(), key=lambda item: (item[0][0], str(item[0][1]), item[0][2])
        )
    )


def series(bill: Bill) -> str:
    """Whose numbers a bill takes: its issuer's; credit notes have a series beside it."""
    return f"{bill.issuer}-cn" if bill.kind_of == "credit-note" else bill.issuer


def number(series: str, year: int, serial: int) -> str:
    """A number of a series: `BT-2026-000001`, of a credit note `BT-CN-2026-000001`."""
    return f"{series.upper()}-{year}-{serial:06}"


def title(kind_of: BillKind) -> str:
    """What a final bill of that kind is called."""
    return "Credit note" if kind_of == "credit-note" else "Invoice"


def credited(line: BillLine, net: Money, tax: Money) -> BillLine:
    """The line of a credit note that lowers this one; net, tax: by how much, above zero.

    It belongs to no order any more, so that no credit is freed twice.
    """
    return replace(
        line,
        description=f"Credit: {line.description}",
        quantity=Decimal(1),
        unit="credit",
        net=-net,
        tax=-tax,
        order=None,
    )


def tax_totals(of: Sequence[BillLine]) -> tuple[TaxTotal, ...]:
    """Net and tax by tax code, rate and legend; sums of the lines' own rounded tax."""
    found: dict[tuple[str, int, str], list[BillLine]] = {}
    for line in of:
        found.setdefault((line.tax_code, line.rate_bp, line.legend), []).append(line)
    return tuple(
        TaxTotal(
            tax_code=code,
            rate_bp=rate_bp,
            legend=legend,
            net=add_up((line.net for line in alike), alike[0].net.currency),
            tax=add_up((line.tax for line in alike), alike[0].net.currency),
        )
        for (code, rate_bp, legend), alike in sorted(found.items())
    )


# --- what is posted ---------------------------------------------------------------------------


def bill_legs(bill: Bill, income_by_family: Mapping[str, int]) -> tuple[Leg, ...]:
    """What a final bill of ours posts: the whole as receivable against income and tax owed.

    Income by family of service, in minor units, or as share income for a share of revenue.
    Empty for a bill over nothing.
    """
    if bill.kind_of == "revenue-share":
        income = [_own("share-income", "income", bill.currency, -bill.net)]
    else:
        income = [
            _own(f"revenue/{family}", "income", bill.currency, Money(-net, bill.currency))
            for family, net in income_by_family.items()
        ]
    return _posted(
        _with("receivable", "asset", bill.buyer, bill.total),
        *income,
        _own("tax-output", "liability", bill.currency, -bill.tax),
    )


def entry(made: KeptBill, id: EntryId) -> NewEntry:
    """What a final bill of ours posts; without legs for one over nothing."""
    bill = made.bare
    assert bill.issued_at is not None
    return NewEntry(
        id=id,
        key=f"bill/{bill.id}",
        kind="credit-note" if bill.kind_of == "credit-note" else "invoice",
        ref=bill.number,
        document=made.fingerprint,
        words=f"{title(bill.kind_of)} {bill.number} to {bill.buyer} for {bill.period.name}",
        effective_at=bill.issued_at,
        legs=bill_legs(bill, made.income),
    )


def supplier_entry(
    invoice: SupplierInvoice, *, document: str, costs: Iterable[tuple[str | None, Money]]
) -> NewEntry:
    """What a partner's invoice posts; see `actions.record_supplier_invoice`."""
    kind_of = invoice.kind_of
    return NewEntry(
        id=invoice.entry,
        key=f"supplier-invoice/{invoice.issuer}/{invoice.bill}",
        kind="supplier-credit-note" if kind_of == "credit-note" else "supplier-invoice",
        ref=invoice.number,
        document=document,
        words=f"{title(kind_of)} {invoice.number} of {invoice.issuer} for {invoice.period.name}",
        effective_at=invoice.issued_at,
        legs=supplier_legs(
            issuer=invoice.issuer,
            kind_of=kind_of,
            costs=by_family(costs, invoice.currency),
            net=invoice.net,
            tax=invoice.tax,
        ),
    )


def supplier_legs(
    *, issuer: PartyId, kind_of: BillKind, costs: Costs, net: Money, tax: Money
) -> tuple[Leg, ...]:
    """What a supplier's invoice posts: cost and reclaimable tax against the whole as payable.

    Cost by family of service, or share expense for a share of revenue. Raises ValueError
    when the costs do not add up to the net.
    """
    if add_up((part for _, part in costs), net.currency) != net:
        raise ValueError(f"the costs do not add up to {net}")
    if kind_of == "revenue-share":
        cost = [_own("share-expense", "expense", net.currency, net)]
    else:
        cost = [_own(f"cost/{family}", "expense", net.currency, part) for family, part in costs]
    return _posted(
        *cost,
        _own("tax-input", "asset", net.currency, tax),
        _with("payable", "liability", issuer, -(net + tax)),
    )


def by_family(parts: Iterable[tuple[str | None, Money]], currency: str) -> Costs:
    """Amounts added up by family of service; `other` for those without one."""
    found: dict[str, Money] = {}
    for family, amount in parts:
        name = family or "other"
        found[name] = found.get(name, Money.zero(currency)) + amount
    return tuple(sorted(found.items()))


def _with(what: str, kind: AccountKind, party: PartyId, amount: Money) -> Leg:
    code = f"{what}/{party}/{amount.currency}"
    return Leg(AccountSpec(code=code, kind=kind, party=party, currency=amount.currency), amount)


def _own(what: str, kind: AccountKind, currency: str, amount: Money) -> Leg:
    code = f"{what}/{currency}"
    return Leg(AccountSpec(code=code, kind=kind, party=None, currency=currency), amount)


def _posted(*legs: Leg) -> tuple[Leg, ...]:
    return tuple(leg for leg in legs if leg.amount)


# --- what is printed --------------------------------------------------------------------------


def paper(bill: Bill, *, issuer: Party, buyer: Party) -> str:
    """The bill as aligned plain text, ready to print: the data of EN 16931, without its syntax."""
    heading = f"{title(bill.kind_of).upper()} {bill.number}" if bill.final else f"DRAFT {bill.id}"
    facts = [
        ("From", _party(issuer)),
        ("To", _party(buyer)),
        ("Period", f"{bill.period.name} (UTC)"),
        ("Issued", _moment(bill.issued_at) + " UTC" if bill.issued_at else "not yet"),
        ("Currency", bill.currency),
    ]
    if bill.agreement is not None:
        facts.append(("Agreement", f"{bill.agreement.id} version {bill.agreement.version}"))
    if bill.kind_of == "revenue-share":
        facts.append(("For", "share of revenue"))
    items = [("Description", "Quantity", "Unit", "Net", "Tax %", "Tax")]
    items += [
        (
            line.description,
            f"{line.quantity:,f}",
            line.unit,
            _amount(line.net),
            _percent(line.rate_bp),
            _amount(line.tax),
        )
        for line in bill.lines
    ]
    taxes = [("Tax", "Rate %", "Net", "Tax", "Legend")]
    taxes += [
        (one.tax_code, _percent(one.rate_bp), _amount(one.net), _amount(one.tax), one.legend)
        for one in tax_totals(bill.lines)
    ]
    sums = [
        ("Net", _amount(bill.net)),
        ("Tax", _amount(bill.tax)),
        (f"Total {bill.currency}", _amount(bill.total)),
    ]
    return "\n".join(
        [
            heading,
            "",
            *_columns(facts, "<<"),
            "",
            *_columns(items, "<><>>>", ruled=True),
            "",
            *_columns(taxes, "<>>><", ruled=True),
            "",
            *_columns(sums, "<>"),
            "",
        ]
    )


def _party(party: Party) -> str:
    number_words = f", tax number {party.tax_id}" if party.tax_id else ""
    return f"{party.name} ({party.country}{number_words})"


def _amount(money: Money) -> str:
    return f"{money.amount:,f}"


def _percent(rate_bp: int) -> str:
    return f"{Decimal(rate_bp).scaleb(-2):.2f}"


def _columns(rows: Sequence[tuple[str, ...]], sides: str, *, ruled: bool = False) -> list[str]:
    """Rows padded to their columns; sides: `<` or `>` a column; ruled: a line under the first."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(sides))]
    text = [
        "  ".join(
            cell.ljust(width) if side == "<" else cell.rjust(width)
            for cell, width, side in zip(row, widths, sides, strict=True)
        ).rstrip()
        for row in rows
    ]
    if ruled:
        text.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return text


def shown(bill: Bill) -> ShelfBill:
    """A customer's bill as its debtor sees it."""
    return ShelfBill(
        id=bill.id,
        kind_of=bill.kind_of,
        creditor=bill.issuer,
        debtor=bill.buyer,
        agreement=bill.agreement,
        period=bill.period,
        currency=bill.currency,
        lines=tuple(
            StatementLine(
                key=line.key,
                offer=line.offer,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                net=line.net,
                tax=line.tax,
            )
            for line in bill.lines
        ),
        net=bill.net,
        tax=bill.tax,
        state=BillStage(bill.state.value),
        made_at=bill.made_at,
        number=bill.number,
        issued_at=bill.issued_at,
        bill=bill.id,
    )
