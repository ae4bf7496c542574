"""Programs that we did not write: a client from PyPI, and requests made up from our documents."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import tmforum  # type: ignore[import-untyped]
import uvicorn

from tests.federation.tmf.door import Door


@pytest.fixture
def address(door: Door) -> Iterator[str]:
    """The door on a port of this machine, as programs reach it."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(door.app, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


V4 = {
    "Individual": ("party/v4/individual", {"givenName": "Thandi", "familyName": "Mokoena"}),
    "Organization": ("party/v4/organization", {"tradingName": "MTN", "name": "MTN"}),
    "FinancialAccount": ("accountManagement/v4/financialAccount", {"name": "Income"}),
    "BillFormat": ("accountManagement/v4/billFormat", {"name": "PDF"}),
    "GeographicSite": ("geographicSiteManagement/v4/geographicSite", {"name": "Sandton"}),
    "PartyRole": ("partyRoleManagement/v4/partyRole", {"name": "Reseller"}),
    "Category": ("productCatalogManagement/v4/category", {"name": "Access"}),
}
"""Where the client's entities are in version 4 of the APIs, and what they are made of."""


@pytest.mark.parametrize("name", V4)
def test_a_client_from_pypi_makes_lists_reads_changes_and_deletes(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, content = V4[name]
    kind: Any = getattr(tmforum, name)
    monkeypatch.setattr(
        kind,
        "get_resource_path",
        classmethod(lambda _kind, context: f"{context.api_base_url}/{path}"),
    )
    context = tmforum.Context(
        api_base_url=f"{address}/tmf-api",
        headers={"Content-Type": "application/json"},
        logger=logging.getLogger("tmforum"),
        strict_parsing=True,
    )
    made = kind(**content).create(context)
    assert isinstance(made, kind) and made.id
    attribute, value = next(iter(content.items()))
    found = kind.query_get(f"{attribute}={value}", context)
    assert [one.id for one in found] == [made.id]
    assert kind.from_id(made.id, context).to_dict() == made.to_dict()
    changed = made.update({"description": "changed"}, context)
    assert changed.read(context).to_dict()["description"] == "changed"
    made.delete(context)
    assert kind.from_id(made.id, context) is None
