"""Lines of a statement, packed: hashed as any paper is, and read back as they were."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.federation import packed
from hansa.federation.contract import AgreementRef
from hansa.federation.papers import Statement, StatementLine
from hansa.foundation import documents, packing
from hansa.foundation.errors import Refused
from hansa.foundation.ids import AgreementId, OfferCode, PartyId, StatementId
from hansa.foundation.money import Money
from hansa.foundation.time import Period

LINE = StatementLine(
    key="hld_1/usage/za",
    offer=OfferCode("voice"),
    description='Calls to "Ghana é", \\ and more',
    quantity=Decimal("12.50"),
    unit="min",
    net=Money(-1_234, "GBP"),
    tax=Money(0, "GBP"),
)
PAPER = Statement(
    id=StatementId("stm_1.bt"),
    kind_of="services",
    agreement=AgreementRef(AgreementId('agr_"lines":[]'), 1),
    creditor=PartyId("bt"),
    debtor=PartyId("mtn"),
    period=Period.month(2026, 11),
    currency="GBP",
    lines=(),
    net=Money(0, "GBP"),
    tax=Money(0, "GBP"),
)
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=0, max_size=20
)
AMOUNTS = st.builds(Money, st.integers(-(10**18), 10**18), st.sampled_from(["GBP", "UGX"]))
LINES = st.lists(
    st.builds(
        StatementLine,
        key=WORDS,
        offer=WORDS,
        description=WORDS,
        quantity=st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=6)
        | st.just(Decimal("1E+3")),
        unit=WORDS,
        net=AMOUNTS,
        tax=AMOUNTS,
    ),
    max_size=12,
)


@given(lines=LINES, items=st.integers(1, 5))
def test_a_packed_statement_is_the_same_paper(lines: list[StatementLine], items: int) -> None:
    paper = replace(PAPER, lines=tuple(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "PART_ITEMS", items)
        made = packed.pack(lines)
        assert packed.lines_fingerprint(lines) == made.fingerprint
    assert packed.keep(paper).fingerprint == documents.fingerprint(documents.write(paper))
    listed = documents.write(paper.lines, tuple[StatementLine, ...])
    assert made.fingerprint == documents.fingerprint(listed)
    assert len(made.parts) == -(-len(lines) // items)
    assert made.lines == paper.lines
    assert sum(made.net_by_offer.values()) == sum(line.net.minor for line in lines)
    assert packed.from_text(packed.to_text(made.parts)) == paper.lines


def sent(*lines: object) -> list[bytes]:
    return [zlib.compress(json.dumps(lines).encode())]


GOOD = documents.write(LINE)
BAD = [
    ([b"not compressed"], "compressed"),
    ([zlib.compress(b"[]")[:-1]], "cut off"),
    ([zlib.compress(b"[]") + b"more"], "cut off"),
    ([zlib.compress(b"[" + b" " * packing.PART_MAX + b"]")], "longer than"),
    ([zlib.compress(b"{}")], "valid array"),
    (sent({**GOOD, "more": 1}), "Unexpected"),
    (sent({**GOOD, "net": None}), "dictionary|object|instance"),
    (sent({**GOOD, "description": "\0"}), "out of bounds"),
    (sent({**GOOD, "description": "x" * 4001}), "out of bounds"),
    (sent({**GOOD, "net": {"minor": 2**63, "currency": "GBP"}}), "out of bounds"),
    (sent({**GOOD, "quantity": "9" * 29}), "out of bounds"),
    (sent({**GOOD, "quantity": "1E+29"}), "out of bounds"),
]


@pytest.mark.parametrize(("parts", "words"), BAD, ids=[words for _, words in BAD])
def test_what_is_no_list_of_lines_is_refused(parts: list[bytes], words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        packed.from_text(packed.to_text(parts))
    assert (refused.value.code, refused.value.field) == ("malformed", "lines")


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(Refused, match="not base64"):
        packed.from_text(["%%"])


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However small its parts are, and however much they become."""
    parts = packed.to_text(sent(GOOD, GOOD) * 2)
    assert len(packed.from_text(parts)) == 4
    for name, most in (("ITEMS_MAX", 3), ("OCTETS_MAX", 300)):
        with monkeypatch.context() as patch, pytest.raises(Refused, match="more than"):
            patch.setattr(packing, name, most)
            packed.from_text(parts)
