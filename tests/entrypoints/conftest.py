"""Desks: nodes with a folder and a database, and people who type commands on them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.foundation.database import Database
from tests.entrypoints.desk import SOON, Desk, party, set_clock

Desks = Callable[..., Desk]

OPERATOR = """
party: {id: acme, name: ACME, country: GB, currency: GBP}
products:
  - code: access
    name: Fibre access
    family: connectivity
    per: site
    choices: [{name: speed_mbps, unit: Mbit/s, minimum: 10, maximum: 1000, default: 100}]
coverage: [{what: access, country: GB, place: London}]
offers:
  - code: line
    name: Line
    family: connectivity
    per: site
    countries: [GB, ZA]
    characteristics:
      - {name: speed_mbps, unit: Mbit/s, minimum: 10, maximum: 1000, default: 100}
    components:
      - name: access
        sources: [{seller: acme, offer: access}]
        metered: true
        passes: [speed_mbps]
prices:
  - price_list: retail
    offer: line
    currency: GBP
    one_off: 50.00
    monthly: 100
    monthly_per: {speed_mbps: 0.25}
    valid_from: 2026-01-01
    tariff: {kind: percentile, rate_per_mbps: 0.105, commit_mbps: 5}
taxes:
  - supplier_country: GB
    customer_country: GB
    valid_from: 2026-01-01
    tax: {code: standard, rate_bp: 2000, legend: VAT 20 %}
customers:
  - party: {id: shop, name: Shop, country: GB, currency: GBP}
    price_list: retail
    credit_limit: {minor: 100000, currency: GBP}
  - party: {id: other, name: Other, country: GB, currency: GBP}
    price_list: retail
"""

NEED = """
items:
  - id: head-office
    offer: line
    site: {id: ho, name: Head office, country: GB, place: London}
    characteristics: {speed_mbps: 200}
"""


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """The clock of every desk's node: Monday 2 November 2026, 08:00 UTC."""
    file = tmp_path / "clock"
    set_clock(file, SOON)
    return file


@pytest.fixture
def desks(databases: Callable[[], Database], tmp_path: Path, clock_file: Path) -> Desks:
    """Each call makes another operator's node."""

    def another(name: str, country: str = "GB", currency: str = "GBP") -> Desk:
        return Desk(
            tmp_path / name,
            clock_file,
            party=party(name, country, currency),
            port=free_port(),
            url=databases().url,
        )

    return another


@pytest.fixture
def desk(desks: Desks) -> Desk:
    """An operator with nothing entered."""
    return desks("acme")


@pytest.fixture
def shop(desk: Desk, tmp_path: Path) -> Desk:
    """The operator with an offer of its own network, and two customers."""
    file = tmp_path / "operator.yaml"
    file.write_text(OPERATOR)
    desk("catalogue", "import", str(file))
    return desk


@pytest.fixture
def need(tmp_path: Path) -> Callable[..., str]:
    """The name of a file with a need; pairs of words replace parts of the usual one."""

    def written(*replaced: tuple[str, str], text: str = NEED) -> str:
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "need.yaml"
        file.write_text(text)
        return str(file)

    return written


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port
