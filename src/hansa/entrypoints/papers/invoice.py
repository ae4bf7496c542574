"""An invoice or credit note by the semantic model of EN 16931, made of a final bill.

BT and BG numbers are those of EN 16931-1:2017. The syntax (UBL) and the looks (PDF) are
beside this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from hansa.foundation.errors import Refused
from hansa.foundation.money import Money, Rounding, add_up, minor_digits
from hansa.foundation.party import Party
from hansa.lifecycle.billing.model import Bill, BillLine
from hansa.lifecycle.clearing.model import Particulars

Category = Literal["S", "Z", "AE", "E"]
"""Standard rated, zero rated, reverse charge, exempt (UNTDID 5305)."""

UNITS = {"month": "MON", "min": "MIN", "s": "SEC", "h": "HUR", "GB": "E34", "Mbit/s": "E20"}
"""Our units that UN/ECE recommendation 20 has a code for; of all others a line counts pieces."""

PIECE = "C62"


@dataclass(frozen=True, slots=True)
class Side:
    """The seller (BG-4) or the buyer (BG-7)."""

    party: Party
    particulars: Particulars

    @property
    def vat_id(self) -> str:
        """The tax number with its country before it, as BT-31 and BT-48 want it."""
        tax_id, country = self.party.tax_id.replace(" ", ""), self.party.country
        prefix = "EL" if country == "GR" else country
        return tax_id if not tax_id or tax_id.startswith(prefix) else prefix + tax_id


@dataclass(frozen=True, slots=True)
class Item:
    """One line (BG-25). quantity: as billed, of `unit_code`; `unit` is our own word for it."""

    number: int
    name: str
    offer: str
    quantity: Decimal
    unit: str
    unit_code: str
    net: Money
    category: Category
    rate: Decimal


@dataclass(frozen=True, slots=True)
class TaxGroup:
    """All lines taxed alike (BG-23). rate: percent. reason: why no tax is charged."""

    category: Category
    rate: Decimal
    net: Money
    tax: Money
    reason: str


@dataclass(frozen=True, slots=True)
class Preceding:
    """The invoice that a credit note corrects (BG-3)."""

    number: str
    issued: date


@dataclass(frozen=True, slots=True)
class Invoice:
    """A final paper. last: the last day of the period, included.

    Amounts of a credit note are positive where the buyer gets them back.
    """

    kind: Literal["invoice", "credit-note"]
    number: str
    issued: date
    first: date
    last: date
    currency: str
    seller: Side
    buyer: Side
    items: tuple[Item, ...]
    taxes: tuple[TaxGroup, ...]
    net: Money
    tax: Money
    subject: str
    contract: str
    statement: str
    preceding: Preceding | None
    terms: str

    @property
    def total(self) -> Money:
        """Net and tax: what is to be paid (BT-115)."""
        return self.net + self.tax


def of_bill(
    bill: Bill,
    *,
    seller: Side,
    buyer: Side,
    statement: str = "",
    preceding: Preceding | None = None,
) -> Invoice:
    """A final bill as an invoice; one over less than nothing as a credit note.

    preceding: the invoice that the bill corrects, which makes it a credit note too. Raises
    Refused `bill-draft`, `tax-number-missing`, `paper-currency`, `paper-tax`.
    """
    if not bill.final or bill.issued_at is None:
        raise Refused(
            "bill-draft", f"Bill {bill.id} is a draft; only a final one is exported.", field="bill"
        )
    if minor_digits(bill.currency) > 2:
        raise Refused(
            "paper-currency",
            f"Amounts in {bill.currency} have more than the two decimals that EN 16931 allows.",
            field="currency",
        )
    credits = bill.total < Money.zero(bill.currency) or preceding is not None
    sign = -1 if bill.total < Money.zero(bill.currency) else 1
    items = tuple(_item(line, number, sign) for number, line in enumerate(bill.lines, start=1))
    taxes = _taxes(bill.lines, sign)
    _check(seller, buyer, taxes)
    return Invoice(
        kind="credit-note" if credits else "invoice",
        number=bill.number,
        issued=bill.issued_at.date(),
        first=bill.period.start.date(),
        last=(bill.period.end - timedelta(microseconds=1)).date(),
        currency=bill.currency,
        seller=seller,
        buyer=buyer,
        items=items,
        taxes=taxes,
        net=_signed(bill.net, sign),
        tax=_signed(bill.tax, sign),
        subject="Share of revenue" if bill.kind_of == "revenue-share" else "",
        contract=f"{bill.agreement.id} version {bill.agreement.version}" if bill.agreement else "",
        statement=statement,
        preceding=preceding,
        terms=f"Settled as agreement {bill.agreement.id} says, netted where it may be."
        if bill.agreement
        else "Payable on the terms of the contract.",
    )


def category(line: BillLine) -> Category:
    """How a line is taxed, in the letters of EN 16931."""
    if line.tax_code == "reverse-charge":
        return "AE"
    if line.tax_code == "exempt":
        return "E"
    return "S" if line.rate_bp else "Z"


def _item(line: BillLine, number: int, sign: int) -> Item:
    code = UNITS.get(line.unit, PIECE)
    return Item(
        number=number,
        name=line.description,
        offer=line.offer,
        quantity=line.quantity,
        unit=line.unit,
        unit_code=code,
        net=_signed(line.net, sign),
        category=category(line),
        rate=_percent(line.rate_bp),
    )


def _taxes(lines: Sequence[BillLine], sign: int) -> tuple[TaxGroup, ...]:
    found: dict[tuple[Category, int], list[BillLine]] = {}
    for line in lines:
        found.setdefault((category(line), line.rate_bp), []).append(line)
    return tuple(_group(kind, bp, alike, sign) for (kind, bp), alike in sorted(found.items()))


def _group(kind: Category, rate_bp: int, lines: Sequence[BillLine], sign: int) -> TaxGroup:
    currency = lines[0].net.currency
    net = add_up((line.net for line in lines), currency)
    tax = add_up((line.tax for line in lines), currency)
    exact = net.part(rate_bp, rounding=Rounding.HALF_UP)
    if abs((tax - exact).minor) >= 10 ** minor_digits(currency):
        raise Refused(
            "paper-tax",
            f"The tax of the lines at {_percent(rate_bp)} % adds up to {tax}, the rate on their "
            f"sum gives {exact}; EN 16931 takes no difference of 1 {currency} or more.",
            field="tax",
        )
    legends = dict.fromkeys(line.legend for line in lines if line.legend)
    reason = ""
    if kind in ("AE", "E"):
        reason = " ".join(legends) or ("Reverse charge" if kind == "AE" else "Exempt from VAT")
    return TaxGroup(
        category=kind,
        rate=_percent(rate_bp),
        net=_signed(net, sign),
        tax=_signed(tax, sign),
        reason=reason,
    )


def _check(seller: Side, buyer: Side, taxes: Sequence[TaxGroup]) -> None:
    """BR-S-02, BR-AE-02, BR-E-02, BR-Z-02: the numbers without which no tax office takes it."""
    missing = [] if seller.vat_id else [seller]
    if any(group.category == "AE" for group in taxes) and not buyer.vat_id:
        missing.append(buyer)
    for side in missing:
        raise Refused(
            "tax-number-missing",
            f"{side.party.name} has no tax number, which this invoice must show; enter it.",
            field="tax_id",
        )


def _percent(rate_bp: int) -> Decimal:
    return Decimal(rate_bp).scaleb(-2)


def _signed(money: Money, sign: int) -> Money:
    return -money if sign < 0 else money
