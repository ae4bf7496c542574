"""What is refused of a tariff when its price is published, place by place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hansa.federation.contract import (
    Conversion,
    DeckTariff,
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    VoiceBand,
    VoiceTariff,
    VolumeTariff,
)
from hansa.foundation.errors import Refused
from hansa.foundation.ids import OfferCode
from hansa.lifecycle.catalogue.model import CatalogueOffer, Component, ListPrice
from hansa.lifecycle.catalogue.rules.offers import check_price
from hansa.lifecycle.catalogue.rules.tariffs import faults

D = Decimal
OPEN = Tier(None, D("0.20"))
VOLUME = VolumeTariff(100, (Tier(50, D("0.50")), Tier(90, D("0.30")), OPEN), "graduated")
SEATS = SeatTariff("peak", VOLUME.tiers, "retroactive")
LINE = PercentileTariff(D("3.20"), 10)
MOBILE = VoiceBand("2771", "Mobile", D("0.10"), D("0.08"), 30, 6, D("0.01"))
REST = VoiceBand("", "Elsewhere", D("1"), D("1"), 1, 1)
CALLS = VoiceTariff((replace(MOBILE, prefix="27"), MOBILE, REST), "Africa/Lagos", 7, 19)
DECK = DeckTariff(
    "az",
    (Tier(1000, D(0)), Tier(None, D("0.05"))),
    commit=D(500),
    commission_bp=250,
    conversion=Conversion("ECB"),
)


def tiers(*steps: tuple[int | None, str]) -> Tariff:
    return replace(VOLUME, tiers=tuple(Tier(up_to, D(rate)) for up_to, rate in steps))


def bands(**changed: object) -> Tariff:
    return replace(CALLS, bands=(REST, replace(MOBILE, **changed)))  # type: ignore[arg-type]


@pytest.mark.parametrize("good", [VOLUME, SEATS, LINE, CALLS, DECK, DeckTariff("az")])
def test_what_can_be_rated_has_no_fault(good: Tariff) -> None:
    assert list(faults(good)) == []


WRONG = [
    (tiers((50, "1"), (90, "1")), "tiers.1.up_to", "what is above it has no price"),
    (tiers(), "tiers", "no tiers"),
    (tiers((50, "1"), (50, "1"), (None, "1")), "tiers.1.up_to", "not above 50"),
    (tiers((50, "1"), (20, "1"), (None, "1")), "tiers.1.up_to", "not above 50"),
    (tiers((0, "1"), (None, "1")), "tiers.0.up_to", "not above 0"),
    (tiers((-5, "1"), (None, "1")), "tiers.0.up_to", "not above 0"),
    (tiers((None, "1"), (50, "1")), "tiers.0.up_to", "never met"),
    (tiers((50, "1"), (None, "-0.01")), "tiers.1.rate", "negative"),
    (tiers((50, "0.0000000001"), (None, "1")), "tiers.0.rate", "9 decimals"),
    (tiers((50, "NaN"), (None, "1")), "tiers.0.rate", "no amount"),
    (tiers((50, "1E+12"), (None, "1")), "tiers.0.rate", "not below"),
    (replace(VOLUME, included_gb=-1), "included_gb", "negative"),
    (replace(SEATS, tiers=(Tier(10, D(1)),)), "tiers.0.up_to", "has no price"),
    (replace(LINE, rate_per_mbps=D(-1)), "rate_per_mbps", "negative"),
    (replace(LINE, commit_mbps=-1), "commit_mbps", "negative"),
    (bands(prefix=""), "bands.1.prefix", "which band 1 has too"),
    (bands(prefix="+27"), "bands.1.prefix", "not at most 15 digits"),
    (bands(prefix="٢٧"), "bands.1.prefix", "not at most 15 digits"),
    (bands(prefix="1234567890123456"), "bands.1.prefix", "not at most 15 digits"),
    (bands(peak_per_min=D(-1)), "bands.1.peak_per_min", "negative"),
    (bands(offpeak_per_min=D("Infinity")), "bands.1.offpeak_per_min", "no amount"),
    (bands(setup=D("-0.1")), "bands.1.setup", "negative"),
    (bands(first_s=0), "bands.1.first_s", "not above zero"),
    (bands(next_s=-6), "bands.1.next_s", "not above zero"),
    (replace(CALLS, bands=()), "bands", "no bands"),
    (replace(CALLS, zone="Africa/Atlantis"), "zone", "no time zone"),
    (replace(CALLS, zone="../etc"), "zone", "no time zone"),
    (replace(CALLS, peak_from_h=-1), "peak_from_h", "not an hour"),
    (replace(CALLS, peak_to_h=25), "peak_to_h", "not an hour"),
    (replace(CALLS, peak_from_h=20), "peak_to_h", "before it begins"),
    (replace(DECK, deck=" "), "deck", "names no deck"),
    (replace(DECK, tiers=(Tier(10, D(0)),)), "tiers.0.up_to", "has no price"),
    (replace(DECK, tiers=(Tier(None, D("1.01")),)), "tiers.0.rate", "more than all"),
    (replace(DECK, tiers=(Tier(None, D("NaN")),)), "tiers.0.rate", "no amount"),
    (replace(DECK, commit=D(-1)), "commit", "negative"),
    (replace(DECK, commission_bp=10_001), "commission_bp", "not in 0 to 10000"),
    (replace(DECK, commission_bp=-1), "commission_bp", "not in 0 to 10000"),
    (replace(DECK, conversion=Conversion("")), "conversion.source", "no source"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tariff", "place", "words"), WRONG, ids=[f"{place}: {words}" for _, place, words in WRONG]
)
def test_each_fault_has_its_place(tariff: Tariff, place: str, words: str) -> None:
    found = list(faults(tariff))
    assert [at for at, _ in found] == [place]
    assert words in found[0][1]


def test_all_faults_are_found() -> None:
    tariff = replace(CALLS, bands=(MOBILE, MOBILE), zone="", peak_to_h=30)
    assert [at for at, _ in faults(tariff)] == ["bands.1.prefix", "zone", "peak_to_h"]


def test_a_price_with_such_a_tariff_is_refused() -> None:
    offer = CatalogueOffer(
        code=OfferCode("backup"),
        name="Backup",
        family="security",
        per="site",
        countries=("GB",),
        characteristics=(),
        components=(Component(name="backup", sources=()),),
    )
    price = ListPrice(
        price_list="retail",
        offer=offer.code,
        currency="GBP",
        one_off=D(0),
        monthly=D(1),
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        tariff=VOLUME,
    )
    check_price(price, offer)
    with pytest.raises(Refused, match=r"in retail, tiers\.0\.up_to: the last tier") as refused:
        check_price(replace(price, tariff=tiers((50, "1"))), offer)
    assert refused.value.code == "tariff-invalid"
    assert refused.value.field == "prices.backup.tariff.tiers.0.up_to"
