"""`hansa lab`: real daemons in network namespaces, for trying things out on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hansa.entrypoints.cli import render
from hansa.entrypoints.cli.door import AsJson, group

app = group("A lab of real daemons in network namespaces: what the machine can, up, down.")

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="Where the lab's keeper is asked; else HANSA_LAB or .hansa/lab."),
]


def _folder(given: Path | None) -> Path:
    from hansa.drivers.lab.box import usual_folder

    return usual_folder() if given is None else given


@app.command(epilog="Example: hansa lab check")
def check(as_json: AsJson = False) -> None:
    """Say what this machine can deliver for real, and how what is missing is installed."""
    from hansa.drivers.lab.machine import NEEDS, machine

    found = machine()
    parts = {part: found.why_not(part) for part in NEEDS}
    remedy = found.remedy(*NEEDS)
    if as_json:
        render.as_json(
            {
                "parts": {
                    part: {"possible": why is None, "lacks": found.lacks(part)}
                    for part, why in parts.items()
                },
                "features": found.features,
                "programs": found.programs,
                "remedy": remedy,
            }
        )
        return
    render.table(
        "What this machine can deliver for real",
        ("part", "possible", "why not"),
        [(part, "no" if why else "yes", why or "") for part, why in parts.items()],
    )
    if remedy:
        render.say(f"To install what is missing, as root: {remedy}")
    else:
        render.say("Every program is installed.")


@app.command(epilog="Example: hansa lab up")
def up(folder: Folder = None) -> None:
    """Start a lab, which stays until it is taken down; one that is up stays as it is."""
    from hansa.drivers.lab.box import Lab

    lab = Lab(_folder(folder).absolute())
    started = lab.up()
    words = "is up already" if started is None else "is up"
    render.say(
        f"The lab in {lab.folder} {words}. Nodes deliver on it whose settings say "
        f'`network.lab = "{lab.folder}"` and name the driver `lab`.'
    )


@app.command(epilog="Example: hansa lab down")
def down(folder: Folder = None) -> None:
    """Take the lab down with everything in it; nothing of it is left on this machine."""
    from hansa.drivers.lab.box import Lab

    lab = Lab(_folder(folder).absolute())
    render.say(f"The lab in {lab.folder} {'is down' if lab.down() else 'was not up'}.")


@app.command(epilog="Example: hansa lab status --json")
def status(folder: Folder = None, as_json: AsJson = False) -> None:
    """Show every box of the lab, and which of its daemons run."""
    from hansa.drivers.lab.box import Lab

    boxes = Lab(_folder(folder).absolute()).boxes()
    if as_json:
        render.as_json({"boxes": boxes})
        return
    render.table(
        "Boxes",
        ("box", "daemons that run", "daemons that have died"),
        [
            (
                box,
                ", ".join(name for name, runs in daemons.items() if runs),
                ", ".join(name for name, runs in daemons.items() if not runs),
            )
            for box, daemons in boxes.items()
        ],
    )


@app.command(
    epilog="Example: hansa lab run pop -- ip route",
    context_settings={"allow_interspersed_args": False},
)
def run(
    box: Annotated[str, typer.Argument(help="A box; see `hansa lab status`.")],
    command: Annotated[list[str], typer.Argument(help="The command, and what it is given.")],
    folder: Folder = None,
) -> None:
    """Run a command in a box, as one would on the device itself."""
    from hansa.drivers.lab.box import Lab
    from hansa.foundation.errors import NotFound

    lab = Lab(_folder(folder).absolute())
    if box not in lab.boxes():
        raise NotFound("box-unknown", f"The lab has no box {box!r}; see `hansa lab status`.")
    answer = lab.box(box).try_run(*command)
    typer.echo(answer.out, nl=False)
    typer.echo(answer.err, nl=False, err=True)
    raise typer.Exit(answer.status)
