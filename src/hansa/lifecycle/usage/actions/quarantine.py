"""Records that were set aside: looked at, corrected, and taken in once more.

A correction is kept as what somebody said; it changes nothing by itself. A replay writes the
corrected records down as a file of its own, which comes in like any other and points back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hansa.foundation.errors import NotFound, Refused
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Begin, Transaction
from hansa.lifecycle.usage.actions import events, intake
from hansa.lifecycle.usage.actions.events import need_bulk
from hansa.lifecycle.usage.model import FIELDS, Bad, Delivery, Fault, Repair
from hansa.lifecycle.usage.rules import layouts
from hansa.lifecycle.usage.store import manifest, spool

LINE = "line"
"""The field that is the whole record as it came."""


def delivery(tx: Transaction, *, number: int) -> Delivery:
    """Raises NotFound `delivery-unknown`."""
    found = manifest.delivery(tx, number)
    if found is None:
        raise NotFound("delivery-unknown", f"No file of number {number} has come.", field="file")
    return found


def records(
    tx: Transaction, *, of: Delivery, folder: Path, reason: Fault | None = None
) -> Iterator[Bad]:
    """What is in quarantine of a delivery and has not been replayed, by row.

    folder: the node's. Raises HansaError `usage-file-damaged`.
    """
    need_bulk()
    from hansa.lifecycle.usage.store import quarantine

    if of.quarantine is None:
        return
    gone = _replayed(tx, of, folder)
    for bad in quarantine.read(folder / of.quarantine):
        if bad.row not in gone and reason in (None, bad.fault):
            yield bad


def repair(tx: Transaction, *, repair: Repair, folder: Path) -> int:
    """Keeps a correction; how many records it fits. The records stay where they are.

    Raises Refused `repair-invalid`; NotFound `delivery-unknown`, `quarantine-empty` when it
    fits none.
    """
    of = delivery(tx, number=repair.delivery)
    _check(repair, of)
    fitting = sum(_fits(repair, bad) for bad in records(tx, of=of, folder=folder))
    if not fitting:
        raise NotFound(
            "quarantine-empty",
            f"No record of file {of.number} that is set aside fits; see `hansa usage quarantine`.",
            field="row",
        )
    manifest.put_repair(tx, repair)
    return fitting


def replay(
    begin: Begin,
    *,
    number: int,
    codes: events.Known,
    folder: Path,
    now: Instant,
    everything: bool = False,
) -> Delivery:
    """Takes in the corrected records of a delivery, or with `everything` all that are set aside.

    Raises NotFound `delivery-unknown`, `quarantine-empty` when there are none.
    """
    with begin() as tx:
        of = delivery(tx, number=number)
        corrections = manifest.repairs(tx, number)
        bad = [
            one
            for one in records(tx, of=of, folder=folder)
            if everything or any(_fits(each, one) for each in corrections)
        ]
    if not bad:
        raise NotFound(
            "quarantine-empty",
            f"Nothing of file {number} is both set aside and corrected; see `hansa usage repair`.",
            field="file",
        )
    place = _written(of, bad, corrections, folder)
    made, _ = intake.take(
        begin,
        place=place,
        layout=layouts.of_replays(of.layout),
        codes=codes,
        folder=folder,
        now=now,
        name=f"{of.name} (replayed)",
        replays=of.number,
    )
    return made


def _check(repair: Repair, of: Delivery) -> None:
    fields = (*FIELDS[of.layout.kind], LINE)
    words = ""
    if repair.field not in fields:
        words = f"There is no field {repair.field!r}; choose of {', '.join(fields)}."
    elif repair.row is not None and repair.reason is not None:
        words = "Name one row, or a reason, not both."
    elif repair.reason is not None and repair.reason not in list(Fault):
        words = f"There is no reason {repair.reason!r}; see docs/reasons.md."
    elif repair.pattern is not None:
        try:
            re.sub(repair.pattern, repair.value, "")
        except (re.error, IndexError) as error:
            words = f"The pattern or what takes its place is no regular expression: {error}."
    elif repair.row is None and repair.field == LINE:
        words = "A whole line is given for one row."
    if words:
        raise Refused("repair-invalid", words, field=repair.field)


def _fits(repair: Repair, bad: Bad) -> bool:
    if repair.row is not None:
        return repair.row == bad.row
    return repair.reason in (None, bad.fault.value)


def _written(of: Delivery, bad: Sequence[Bad], corrections: Sequence[Repair], folder: Path) -> Path:
    """The file of the corrected records, on the disk."""
    from hansa.lifecycle.usage.store import quarantine, reading

    assert of.quarantine is not None
    places = quarantine.places(folder / of.quarantine)
    lines = []
    for one in bad:
        mine = [each for each in corrections if _fits(each, one)]
        raw = _corrected({LINE: _text(one.raw)}, mine)[LINE]
        octets = raw.encode("utf-8", "surrogateescape")
        fields = {
            name: _text(value) for name, value in reading.one(octets, of.layout, places).items()
        }
        said = {"row": one.row, **_corrected(fields, [each for each in mine if each.field != LINE])}
        lines.append(json.dumps(said) + "\n")
    return spool.keep_replay(folder, "".join(lines).encode())


def _corrected(fields: dict[str, str], corrections: Sequence[Repair]) -> dict[str, str]:
    for one in corrections:
        if one.field == LINE and LINE not in fields:
            continue
        before = fields.get(one.field, "")
        fields[one.field] = (
            one.value if one.pattern is None else re.sub(one.pattern, one.value, before)
        )
    return fields


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _replayed(tx: Transaction, of: Delivery, folder: Path) -> frozenset[int]:
    """The rows of a delivery that have come in again."""
    return frozenset(
        json.loads(line)["row"]
        for one in manifest.replays_of(tx, of.number)
        if one.state == "taken"
        for line in spool.replay(folder, one.sha256).splitlines()
    )
