"""Real nodes for a scenario: each its own processes, database, folder, key and port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hansa.drivers.lab.box import Lab
from hansa.drivers.model import FAMILIES
from hansa.entrypoints import supervisor
from hansa.entrypoints.operator_files import Operator
from hansa.foundation import embedded
from hansa.foundation.errors import TryLater
from hansa.foundation.ids import PartyId
from hansa.foundation.party import Party
from hansa.foundation.people.model import Brand
from hansa.foundation.time import Instant
from hansa.node import DATABASE_FOLDER, SETTINGS, Node, load_settings, open_node

START_S = 60
STOP_S = 15
MEASURE_EVERY_S = 5
RECORDED = ("voice",)
"""Families whose use is told one by one: what happens in the story is what is charged."""

_HANSA = (sys.executable, "-m", "hansa.entrypoints.cli.main")


class Stage:
    """Starts the nodes of a scenario in a folder and opens each for its operator's people.

    folder: made new; holds one folder a node, their logs, and the clock's file. starts: the
    moment that the clock of all nodes shows when the first begins. real: the families that are
    delivered in a lab of the stage's own. portals: whether nodes have one; brands: as whose.
    """

    def __init__(
        self,
        folder: Path,
        *,
        starts: Instant,
        real: Sequence[str] = (),
        portals: bool = False,
        brands: Mapping[PartyId, Brand] | None = None,
    ) -> None:
        self.folder = folder
        self._portals = portals
        self._brands = brands or {}
        self.lab = Lab(folder / "lab") if real else None
        self._real = real
        self.nodes: dict[PartyId, Node] = {}
        self._processes: dict[PartyId, subprocess.Popen[bytes]] = {}
        self._clock = folder / "clock"
        folder.mkdir(parents=True)
        self._shift = starts - datetime.now(UTC)
        self._write_clock()

    # --- time -----------------------------------------------------------------------------------

    def now(self) -> Instant:
        return datetime.now(UTC) + self._shift

    def move_clock(self, to: Instant) -> None:
        """All nodes' clocks jump forward to this moment and run on from there."""
        self._shift = max(self._shift, to - datetime.now(UTC))
        self._write_clock()

    def _write_clock(self) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(str(int(self._shift / timedelta(seconds=1))))
        new.replace(self._clock)

    # --- processes ------------------------------------------------------------------------------

    def start(self, operators: Sequence[Operator]) -> None:
        """Starts every operator's node and returns when all of them answer.

        Raises TryLater `node-not-started` with the end of its log when one does not.
        """
        if self.lab is not None:
            self.lab.up()
        for operator in operators:
            folder = self.folder / operator.party.id
            folder.mkdir()
            (folder / SETTINGS).write_text(self._settings(operator))
            with (folder / "node.log").open("wb") as log:
                self._processes[operator.party.id] = subprocess.Popen(
                    [*_HANSA, "node", "run", "--node", str(folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        for operator in operators:
            self._wait_for(operator.party.id)
            node = open_node(self.folder / operator.party.id)
            self.nodes[operator.party.id] = node

    def _settings(self, operator: Operator) -> str:
        party = operator.party
        return (
            f'[party]\nid = "{party.id}"\nname = "{party.name}"\ncountry = "{party.country}"\n'
            f'currency = "{party.currency}"\ntax_id = "{party.tax_id}"\n\n'
            f"[http]\nport = {_free_port()}\n\n"
            "[settlement]\nauto_confirm = true\n\n"
            f'[clock]\nshift_file = "{self._clock}"\n'
            "[limits]\nprivate_callbacks = true\n" + self._portal(party) + self._network()
        )

    def _portal(self, party: Party) -> str:
        if not self._portals:
            return ""
        brand = self._brands.get(party.id, Brand())
        return (
            f"\n[portal]\nport = {_free_port()}\n\n[portal.brand]\n"
            f'name = "{brand.name}"\ncolour = "{brand.colour}"\nlanguage = "{brand.language}"\n'
        )

    def _network(self) -> str:
        """A month passes in seconds: what is counted day by day cannot but be simulated."""
        if self.lab is None:
            return ""
        lines = [
            "",
            "[network]",
            f'lab = "{self.lab.folder}"',
            f"measure_every_s = {MEASURE_EVERY_S}",
        ]
        chosen = {one: "lab" if one in self._real else "simulated" for one in FAMILIES}
        lines += ["[network.drivers]", *(f'{one} = "{name}"' for one, name in chosen.items())]
        counted = [one for one in self._real if one not in RECORDED]
        lines += ["[network.counts]", *(f'{one} = "simulated"' for one in counted)]
        return "\n".join([*lines, ""])

    def _wait_for(self, party: PartyId) -> None:
        until = time.monotonic() + START_S
        folder = self.folder / party
        http = load_settings(folder).http
        while time.monotonic() < until and self._processes[party].poll() is None:
            if supervisor.health(folder, http) is not None:
                return
            time.sleep(0.05)
        log = (self.folder / party / "node.log").read_text(errors="replace")
        raise TryLater(
            "node-not-started", f"The node of {party} did not start; its log ends:\n{log[-2000:]}"
        )

    def address(self, party: PartyId) -> str:
        """Where this operator's node listens: a URL without a path."""
        return load_settings(self.folder / party).address

    def portal(self, party: PartyId) -> str:
        """Where this operator's portal is served: a URL without a path."""
        return load_settings(self.folder / party).portal.url

    def stop(self) -> None:
        """Stops every node that this stage started, and waits until it has gone; and the lab."""
        for node in self.nodes.values():
            node.close()
        self.nodes.clear()
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        if self.lab is not None:
            self.lab.down()

    def clear(self) -> None:
        """Stops the nodes and deletes all that they kept, wherever their databases lie."""
        self.stop()
        for data in self.folder.glob(f"*/{DATABASE_FOLDER}"):
            embedded.remove(data)
        shutil.rmtree(self.folder)

    def leave(self) -> Mapping[PartyId, int]:
        """Leaves the nodes running; returns the process id of each node's supervisor."""
        for node in self.nodes.values():
            node.close()
        return {party: process.pid for party, process in self._processes.items()}


def wait_until(
    happened: Callable[[], bool], *, timeout_s: float, what: str, pause_s: float = 0.02
) -> None:
    """Waits for something that other processes do. Raises TryLater `too-slow` in the end."""
    until = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > until:
            raise TryLater("too-slow", f"{what} did not happen within {timeout_s:.0f} s.")
        time.sleep(pause_s)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def demo_folder() -> Path:
    """Where a demo that was not told otherwise keeps its nodes: a new folder at each run."""
    base = Path(os.environ.get("HANSA_DEMO_FOLDER", ".hansa/demo"))
    return base / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
