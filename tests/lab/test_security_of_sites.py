"""A site's people behind cloud security: filtered, and as well joined as without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hansa.drivers.connectivity import driver as connectivity
from hansa.drivers.lab import plan
from hansa.drivers.lab.box import Lab
from hansa.drivers.security import driver as security
from hansa.drivers.security import firewall
from tests.lab.conftest import needs
from tests.lab.sites import JHB, LON, NOW, Acme, reaches, vpn
from tests.promises.driver_suite import INTENTS

pytestmark = needs("connectivity", "security")

GUARD = replace(INTENTS["security"], characteristics={"seats": 40, "network": "acme"})


def test_sites_are_filtered_and_reach_each_other_as_before(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("drivers")
    acme = Acme(
        lab,
        connectivity.make(lab, folder / "connectivity"),
        vpn("hld_line", JHB, "acme", "access", speed_mbps=50),
        vpn("hld_jhb", JHB, "acme", "vpn"),
        vpn("hld_lon", LON, "acme", speed_mbps=50),
    )
    for intent in (acme.lines, acme.jhb, acme.lon):
        acme.bring(intent)
    guard = security.make(lab, folder / "security")
    guard.apply(GUARD, now=NOW)
    assert [one for one in guard.verify(GUARD) if not one.ok] == []
    host, other, box = (
        acme.host(acme.jhb),
        acme.place(acme.lon),
        lab.box(acme.place(acme.jhb).network.box),
    )

    for address in (other.host_address, other.host_address6, plan.WEB):
        assert reaches(host, address), address
    assert all(acme.is_well(one) for one in (acme.lines, acme.jhb, acme.lon))

    asked = ("dig", "+short", "+time=2", f"@{plan.DNS}")
    assert host.run(*asked, "open.example").strip() == str(plan.WEB)
    assert "NXDOMAIN" in host.run("dig", "+time=2", f"@{plan.DNS}", "malware.example")
    assert (
        "no servers could be reached"
        in host.try_run(*("dig", "+time=1", "+tries=1", f"@{plan.RESOLVER}", "open.example")).out
    )
    assert firewall.counts(box)["r-other-resolvers"][0]
    page = ("curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}")
    assert host.run(*page, f"http://{plan.WEB}/") == "200"
    blocked = ("--resolve", f"malware.example:80:{plan.WEB}", "http://malware.example/")
    assert host.run(*page, *blocked) == "403"
    assert str(acme.place(acme.jhb).host_address) in (box.read("gateway/access.log") or "")

    guard.teardown(GUARD.service, now=NOW)
    assert reaches(host, other.host_address)
    assert all(acme.is_well(one) for one in (acme.lines, acme.jhb, acme.lon))
