"""A session border controller in a box: Kamailio for signalling, rtpengine for media.

What it works by is compared with what it should, and only what differs is changed. Tables are
read again while calls go on; only another configuration or key starts the signalling anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hansa.drivers.contract import Change
from hansa.drivers.lab import taken
from hansa.drivers.lab.box import Box
from hansa.drivers.voice import config, tables
from hansa.drivers.voice.intent import Controller, Trunk, check_ways
from hansa.drivers.voice.tables import Loaded
from hansa.foundation.errors import TryLater

HOME = "voice"
SIGNALLING, MEDIA = "kamailio", "rtpengine"
PORTS = (20_000, 39_999)
"""Of media, on each side."""

EXPEDITED = 46 << 2
"""The octet by which media is marked: DSCP EF (RFC 3246)."""

_NEWER = 'for one in "$1"/*; do touch -d "@$(($(stat -c %Y "$one") + 1))" "$one"; done'
"""db_text reads a table again when it is newer, in whole seconds, than what it has read; two
changes may come within a second.
"""

_ENABLE = ("rtpengine.enable", "all", 1)


@dataclass(frozen=True, slots=True)
class State:
    """How a controller is. media: whether the signalling has it for use. loaded: None when the
    signalling does not answer.
    """

    media: bool
    loaded: Loaded | None

    def wrong(self, should: Loaded) -> tuple[str, ...]:
        """What is not as it should be, by name."""
        if self.loaded is None:
            return ("signalling",)
        return (*tables.differing(self.loaded, should), *([] if self.media else ["media"]))


def ask(box: Box, *calls: Sequence[object]) -> list[dict[str, Any]] | None:
    """What Kamailio answers to these JSON-RPC calls; None when it does not."""
    asked = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for number, (method, *params) in enumerate(calls)
    ]
    told = box.exchange(box.path(f"{HOME}/rpc.sock"), asked)
    return None if told is None else [json.loads(one) for one in told]


def observe(box: Box) -> State:
    """How the controller is, from itself."""
    runs = box.runs(SIGNALLING)
    answers = ask(box, *tables.DUMPS, ("rtpengine.show", "all")) if runs else None
    if answers is None:
        return State(media=False, loaded=None)
    engines = answers.pop().get("result") or [{"disabled": 1}]
    media = box.runs(MEDIA) and all(not one["disabled"] for one in engines)
    return State(media, tables.loaded(answers))


def apply(box: Box, controller: Controller, trunks: Sequence[Trunk], *, key: str) -> list[Change]:
    """Has the controller be so; what had to be changed. key: the text of its private key.

    The configuration is checked before anything that runs is touched. Raises Refused
    `destination-invalid` and TryLater `device-failed`.
    """
    check_ways(controller)
    changes: list[Change] = []
    text = config.render(controller, home=box.path(HOME))
    started = hashlib.sha256(f"{text}\n{key}".encode()).hexdigest()[:16]
    if box.read(f"{HOME}/kamailio.cfg") != text:
        draft = f"{HOME}/draft.cfg"
        box.write(draft, text)
        box.run("kamailio", "-c", "-f", box.path(draft))
        box.remove(draft)
    box.run("mkdir", "-p", "-m", "700", *(box.path(f"{HOME}/{one}") for one in ("cdr", "tables")))
    files = {
        "kamailio.cfg": text,
        "stir.pem": key,
        **tables.render(controller, trunks),
    }
    taken.mark(box)
    for name, content in files.items():
        if box.write(f"{HOME}/{name}", content):
            changes.append(Change(f"file {name}", None, "written"))
    changes += _daemons(box, controller, started)
    changes += _tables(box, tables.wanted(controller, trunks))
    return changes


def _daemons(box: Box, controller: Controller, started: str) -> list[Change]:
    """started: names the configuration that Kamailio has to have been started with."""
    media = box.start(
        MEDIA,
        *("rtpengine", "--foreground", "--log-stderr", "--log-level=4", "--table=-1"),
        *(f"--interface=inside/{controller.inside}", f"--interface=outside/{controller.outside}"),
        *("--listen-ng=127.0.0.1:2223", "--num-threads=2", f"--tos={EXPEDITED}"),
        *(f"--port-min={PORTS[0]}", f"--port-max={PORTS[1]}", "--pidfile=/run/rtpengine.pid"),
        ready=lambda: ":2223" in box.run("ss", "-Hlnu", "sport = :2223"),
        private=True,
    )
    home = box.path(HOME)
    signalling = box.start(
        SIGNALLING,
        *("kamailio", "-DD", "-E", "-f", f"{home}/kamailio.cfg", "-P", f"{home}/pid"),
        *("-m", "64", "-M", "8", "-w", home, "-Y", home, "-A", f"HANSA_STARTED={started}"),
        env={"TZ": "UTC"},
        private=True,
    )
    told = ask(box, _ENABLE) if media and not signalling else None
    return [
        *([Change(MEDIA, None, "started")] if media else []),
        *([Change(SIGNALLING, None, "started")] if signalling else []),
        *([Change("media", "unused", "used")] if told is not None else []),
    ]


def _tables(box: Box, should: Loaded) -> list[Change]:
    """Has what differs read again, until nothing does."""
    changes: list[Change] = []

    def well() -> bool:
        state = observe(box)
        wrong = state.wrong(should)
        if state.loaded is None:
            return False
        for part in wrong:
            if Change(part, "differs", "as wanted") not in changes:
                changes.append(Change(part, "differs", "as wanted"))
        calls: list[tuple[object, ...]] = [
            *dict.fromkeys(tables.RELOADS[part] for part in wrong if part in tables.RELOADS),
            *([_ENABLE] if "media" in wrong else []),
        ]
        if calls:
            box.run("sh", "-c", _NEWER, "sh", box.path(f"{HOME}/tables"))
            ask(box, *calls)
        return not wrong

    box.wait(well, what=SIGNALLING)
    return changes


def stop(box: Box) -> None:
    """Ends the controller; its records stay."""
    for daemon in (SIGNALLING, MEDIA):
        box.stop(daemon)
    for name in ("stir.pem", "kamailio.cfg", "peers.list", "tables"):
        box.remove(f"{HOME}/{name}")


# --- the calls that go on -----------------------------------------------------------------------


def calls(box: Box, trunk: str) -> list[Mapping[str, Any]]:
    """The trunk's calls of this moment, as Kamailio lists them.

    Raises TryLater `device-failed` when it does not answer.
    """
    parts = [("dlg.profile_list", "part", f"{trunk}/{one}") for one in range(config.PARTS)]
    answers = ask(box, *parts)
    if answers is None:
        raise TryLater(
            "device-failed", f"The calls of {trunk} are not known: {SIGNALLING} is silent."
        )
    lists = [one.get("result") or [] for one in answers]
    found = [call for one in lists for call in (one if isinstance(one, list) else [one])]
    return [one for one in found if one]


def hang_up(box: Box, trunk: str) -> None:
    """Ends the trunk's calls, each with its record."""
    going_on = calls(box, trunk)
    if going_on:
        ask(box, *(("dlg.end_dlg", one["h_entry"], one["h_id"]) for one in going_on))
        box.wait(lambda: not calls(box, trunk), what="the end of the trunk's calls")
