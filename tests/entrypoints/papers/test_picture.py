"""Who pays whom before and after netting, drawn from the data."""

from __future__ import annotations

from lxml import etree

from hansa.entrypoints.papers import picture
from hansa.federation.papers import NettingPayment
from hansa.foundation.ids import PartyId
from hansa.foundation.money import Money


def pay(payer: str, payee: str, minor: int) -> NettingPayment:
    return NettingPayment(PartyId(payer), PartyId(payee), Money(minor, "GBP"))


BEFORE = (pay("bt", "mtn", 8_000), pay("dt", "bt", 10_000), pay("mtn", "dt", 7_000_00))
AFTER = (pay("dt", "bt", 2_000),)

TEXT = """\
Before: 3 payments, 7,180.00 GBP
  bt  → mtn      80.00 GBP
  dt  → bt      100.00 GBP
  mtn → dt   7,000.00 GBP

After: 1 payment, 20.00 GBP
  dt → bt  20.00 GBP"""


def test_as_text() -> None:
    said = picture.text(BEFORE, AFTER, "GBP")
    assert [line.split() for line in said.splitlines()] == [
        line.split() for line in TEXT.splitlines()
    ]
    ends = {len(line) for line in said.splitlines()[1:4]}
    assert len(ends) == 1
    assert picture.text((), (), "GBP").startswith("Before: 0 payments, 0.00 GBP")


def test_as_svg() -> None:
    root = etree.fromstring(picture.svg(BEFORE, AFTER, "GBP").encode())
    svg = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{svg}line")) == len(BEFORE) + len(AFTER)
    words = [one.text for one in root.findall(f"{svg}text")]
    assert words.count("dt") == 4 and "7,000.00 GBP" in words
    nasty = picture.svg([pay("<b>&", "x", 1)], [], "GBP")
    assert "&lt;b&gt;&amp;" in nasty and etree.fromstring(nasty.encode()) is not None
