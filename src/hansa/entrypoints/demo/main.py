"""`hansa demo`: plays every scenario, or those named, and says whether all books agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from hansa.entrypoints.demo import people
from hansa.entrypoints.demo.model import Outcome
from hansa.entrypoints.demo.play import Play
from hansa.entrypoints.demo.show import Show
from hansa.entrypoints.demo.stage import demo_folder
from hansa.foundation.errors import Refused

SCENARIOS = Path("scenarios")
PRINTED_WIDTH = 110
"""Characters a line when nobody looks at a terminal."""


def run(
    names: Sequence[str],
    *,
    scenarios: Path = SCENARIOS,
    keep: bool,
    as_json: bool,
    simulated: bool = False,
) -> int:
    """Plays scenarios one after the other; returns 0 when every one's books agree, else 1.

    names: folders under `scenarios`; none plays all. keep: leaves the nodes running and prints
    where they are. simulated: see Play. as_json: one object on standard output at the end, and
    nothing else there.
    Raises Refused `scenario-unknown`.
    """
    known = sorted(path.parent.name for path in scenarios.glob("*/scenario.yaml"))
    for name in names:
        if name not in known:
            raise Refused(
                "scenario-unknown",
                f"There is no scenario {name!r} in {scenarios}; there are: "
                f"{', '.join(known) or 'none'}.",
                field="scenario",
            )
    quiet = as_json and not sys.stderr.isatty()
    width = None if sys.stdout.isatty() else PRINTED_WIDTH
    console = Console(stderr=as_json, quiet=quiet, width=width)
    folder = demo_folder().absolute()
    outcomes = [
        _play(scenarios / name, folder / name, console, keep=keep, simulated=simulated)
        for name in names or known
    ]
    if not keep:
        folder.rmdir()
    if as_json:
        sys.stdout.write(json.dumps({"scenarios": [_summary(one) for one in outcomes]}) + "\n")
    return 0 if all(outcome.proof.ok for outcome in outcomes) else 1


def _play(
    scenario: Path, folder: Path, console: Console, *, keep: bool, simulated: bool
) -> Outcome:
    play = Play(scenario, folder, Show(console), simulated=simulated, portals=keep)
    try:
        outcome = play.run()
    except BaseException:
        play.stage.stop()  # what it leaves behind shows what went wrong
        raise
    if not keep:
        play.stage.clear()
        return outcome
    password = people.welcome(play.stage, play.operators)
    for party, pid in play.stage.leave().items():
        console.print(
            f"  {party}: {play.stage.address(party)}\n"
            f"    its portal:   {play.stage.portal(party)}\n"
            f"    look into it: hansa order list --node {folder / party}\n"
            f"    stop it:      kill {pid}",
            soft_wrap=True,
        )
    if play.stage.lab is not None:
        console.print(
            "  the lab that they deliver in, which stays when they have ended\n"
            f"    look into it: hansa lab status --folder {play.stage.lab.folder}\n"
            f"    stop it:      hansa lab down --folder {play.stage.lab.folder}",
            soft_wrap=True,
        )
    console.print(f"\n  Sign in at a portal with the password  {password}")
    for login, what in people.LOGINS.items():
        console.print(f"    {login:<12} {what}")
    for operator in play.operators:
        for customer in operator.customers:
            console.print(f"    {customer.party.id:<12} a customer of {operator.party.name}")
    return outcome


def _summary(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.scenario.name,
        "nodes": len(outcome.scenario.operators),
        "orders": len(outcome.placed),
        "hops": outcome.hops,
        "invoices": len(outcome.bills),
        "settlements": len(outcome.statements),
        "books_agree": outcome.proof.ok,
        "measured": [asdict(one) for one in outcome.measured],
        "seconds": round(outcome.seconds, 3),
    }
