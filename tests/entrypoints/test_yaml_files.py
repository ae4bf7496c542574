"""Files that people write: what is read, and what is said about what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from hansa.entrypoints.yaml_files import SIZE_MAX, load
from hansa.federation.contract import NeedItem, VoiceBand, VoiceTariff
from hansa.foundation.errors import Refused
from hansa.foundation.time import Period
from hansa.lifecycle.catalogue.model import ListPrice, ReferenceRate


@dataclass(frozen=True, slots=True)
class Order:
    """A file as these tests know it."""

    prices: tuple[ListPrice, ...] = ()
    rates: tuple[ReferenceRate, ...] = ()
    items: tuple[NeedItem, ...] = ()
    words: str = ""
    per: Literal["site", "order"] = "site"
    names: dict[str, date] = field(default_factory=dict)


Read = Callable[..., Order]

PRICE = """prices:
  - price_list: retail
    offer: line
    currency: GBP
    one_off: 0
    monthly: 12.345
    valid_from: 2026-11-01
"""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a text as a file of this kind."""

    def reading(text: str, name: str = "file.yaml") -> Order:
        file = tmp_path / name
        file.write_text(text)
        return load(file, Order)

    return reading


def test_values_are_exact(read: Read) -> None:
    bands = """    tariff:
      kind: voice
      zone: Africa/Johannesburg
      peak_from_h: 7
      peak_to_h: 19
      bands:
        - {prefix: "27", destination: South Africa, peak_per_min: 0.0100,
           offpeak_per_min: 0.005, first_s: 60, next_s: 1}
"""
    order = read(PRICE + bands + "    monthly_per: {speed_mbps: 0.10}\n")
    (price,) = order.prices
    assert str(price.monthly) == "12.345"
    assert price.monthly_per == {"speed_mbps": Decimal("0.10")}
    band = VoiceBand(
        "27", "South Africa", Decimal("0.0100"), Decimal("0.005"), first_s=60, next_s=1
    )
    assert price.tariff == VoiceTariff((band,), "Africa/Johannesburg", 7, 19)
    assert str(price.tariff.bands[0].peak_per_min) == "0.0100"


def test_a_country_is_not_a_no(read: Read) -> None:
    rate = "rates: [{base: NO, quote: 'on', day: 2026-11-02, source: 0044, rate: 5}]"
    (found,) = read(rate).rates
    assert (found.base, found.quote, found.source) == ("NO", "on", "0044")
    assert found.day == date(2026, 11, 2)


@pytest.mark.parametrize(
    "written", ["2026-11-01", "2026-11-01T00:00:00", "2026-11-01T02:00:00+02:00"]
)
def test_times_are_utc(read: Read, written: str) -> None:
    (price,) = read(PRICE.replace("2026-11-01", written)).prices
    assert price.valid_from == datetime(2026, 11, 1, tzinfo=UTC)
    assert price.valid_from.tzinfo is UTC


def test_json_is_read_too(read: Read) -> None:
    order = read('{\n\t"words": "a\\tb",\n\t"names": {"x": "2026-11-02"}\n}', "file.json")
    assert (order.words, order.names) == ("a\tb", {"x": date(2026, 11, 2)})


@pytest.mark.parametrize(
    ("text", "line", "field_name", "words"),
    [
        ("colour: red\n", 1, "colour", "is not known here"),
        (PRICE + "    colour: red\n", 8, "prices.0.colour", "is not known here"),
        (PRICE.replace("offer", "ofer"), 3, "prices.0.ofer", "is not known here"),
        (PRICE.replace("    offer: line\n", ""), 2, "prices.0.offer", "is missing"),
        (PRICE.replace("12.345", "much"), 6, "prices.0.monthly", "must be a decimal number"),
        (PRICE.replace("12.345", "true"), 6, "prices.0.monthly", "must be a decimal number"),
        (PRICE.replace("line", "44"), 3, "prices.0.offer", "must be text; put a number in quotes"),
        (PRICE.replace("2026-11-01", "soon"), 7, "prices.0.valid_from", "must be a time such as"),
        (PRICE + "    margin_bp: 1.5\n", 8, "prices.0.margin_bp", "must be a whole number"),
        (PRICE + "    margin_bp: '15'\n", 8, "prices.0.margin_bp", "must be a whole number"),
        (PRICE + "    tariff: {kind: free}\n", 8, "prices.0.tariff.kind", "'percentile' or 'vo"),
        (
            PRICE + "    tariff:\n      kind: voice\n      bands: []\n      zone: UTC\n",
            8,
            "prices.0.tariff.peak_from_h",
            "is missing",
        ),
        (PRICE + "    tariff: 5\n", 8, "prices.0.tariff", "must be a list of `name: value` lines"),
        ("items: [{id: a, offer: b, quantity: true}]", 1, "items.0.quantity", "whole number"),
        ("items:\n- id: a\n  offer: b\n  characteristics:\n    x: [1]", 5, None, "whole number"),
        ("names: {x: 2026-13-01}", 1, "names.x", "must be a day such as"),
        ("per: planet", 1, "per", "must be 'site' or 'order'"),
        ("items: 5", 1, "items", "must be a list"),
        ("words: a\nwords: b\n", 2, "words", "is given twice"),
        ("words: &w a\nper: *w\n", 2, "per", "is an alias"),
        ("words: !!python/object:os.system x", 1, "words", "has a tag"),
        ("? [a]\n: b", 1, None, "has a name that is not text"),
        ("words: a\n---\nwords: b\n", 2, None, "single document"),
        ("words: a\nper: [", 3, None, "while parsing"),
        ("words: a\nper: \x07", 1, None, "characters are not allowed"),
        ("[" * 900 + "]" * 900, 1, None, "nested too deeply"),
        ("[" * 5000, 2, None, ""),
        ("- a", 1, None, "must be a list of `name: value` lines"),
        ("", 1, None, "the file is empty"),
        ("null", 1, None, "the file is empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    read: Read, text: str, line: int, field_name: str | None, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(text)
    assert refused.value.code == "file-invalid"
    assert f"file.yaml line {line}: " in refused.value.words
    assert words in refused.value.words
    if field_name is not None:
        assert refused.value.field == field_name


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("words: Köln".encode("latin-1"))
    long = tmp_path / "long.yaml"
    long.write_bytes(b"#" * (SIZE_MAX + 1))
    for file, words in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (latin, "not text in UTF-8"),
        (long, "longer than 4,000,000 octets"),
    ):
        with pytest.raises(Refused, match="file-unreadable") as refused:
            load(file, Order)
        assert words in refused.value.words


def test_what_a_value_refuses_itself_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "period.yaml"
    file.write_text("start: 2026-11-02T00:00:00Z\nend: 2026-11-01T00:00:00Z\n")
    with pytest.raises(Refused, match=r"period\.yaml line 1: period: .* is no period"):
        load(file, Period)
