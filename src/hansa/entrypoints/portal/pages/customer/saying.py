"""How states, prices and measurements are said to a customer, and how much they should worry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hansa.entrypoints.portal import language, words
from hansa.entrypoints.portal.language import gettext as _
from hansa.entrypoints.portal.language import ngettext
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.federation.contract import (
    Characteristics,
    DeckTariff,
    PercentileTariff,
    SeatTariff,
    Tariff,
    Tier,
    VoiceTariff,
    VolumeTariff,
)
from hansa.federation.papers import StatementLine
from hansa.federation.shelf import ShelfBill
from hansa.foundation.ids import PREFIXES, HoldingId

STATES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "service": {
        "active": (N_("In service"), "good"),
        "terminated": (N_("Ended"), "quiet"),
    },
    "condition": {
        "active": (N_("As promised"), "good"),
        "degraded": (N_("Not as promised"), "bad"),
        "ended": (N_("Ended"), "quiet"),
        "unknown": (N_("Not known at the moment"), "wait"),
    },
    "order": {
        "acknowledged": (N_("Received"), "info"),
        "inProgress": (N_("Being delivered"), "info"),
        "held": (N_("We are looking into it"), "wait"),
        "completed": (N_("Completed"), "good"),
        "failed": (N_("Could not be delivered"), "bad"),
        "cancelled": (N_("Cancelled"), "quiet"),
    },
    "step": {
        "acknowledged": (N_("Still to come"), "quiet"),
        "pending": (N_("Still to come"), "quiet"),
        "inProgress": (N_("Under way"), "info"),
        "held": (N_("We are looking into it"), "wait"),
        "completed": (N_("Done"), "good"),
        "failed": (N_("Not possible"), "bad"),
        "cancelled": (N_("Cancelled"), "quiet"),
        "skipped": (N_("Not needed"), "quiet"),
        "undone": (N_("Taken back"), "quiet"),
    },
    "action": {
        "add": (N_("New"), "info"),
        "modify": (N_("Change"), "info"),
        "delete": (N_("End"), "quiet"),
    },
    "cancellation": {
        "acknowledged": (N_("Asked for"), "info"),
        "inProgress": (N_("Under way"), "info"),
        "done": (N_("Cancelled"), "quiet"),
        "terminatedWithError": (N_("Not possible any more"), "bad"),
    },
    "bill": {
        "validated": (N_("To be paid"), "wait"),
        "sent": (N_("To be paid"), "wait"),
        "settled": (N_("Settled"), "good"),
    },
    "credit": {
        "validated": (N_("In your favour"), "good"),
        "sent": (N_("In your favour"), "good"),
        "settled": (N_("Settled"), "good"),
    },
    "paper": {
        "services": (N_("Invoice"), "quiet"),
        "revenue-share": (N_("Share of revenue"), "quiet"),
        "credit-note": (N_("Credit note"), "quiet"),
    },
    "ticket": {
        "acknowledged": (N_("Received"), "info"),
        "inProgress": (N_("Being worked on"), "info"),
        "pending": (N_("We wait for your answer"), "wait"),
        "held": (N_("Waiting"), "wait"),
        "resolved": (N_("Solved, please confirm"), "good"),
        "closed": (N_("Closed"), "quiet"),
        "cancelled": (N_("Withdrawn"), "quiet"),
        "rejected": (N_("Not taken"), "bad"),
    },
    "severity": {
        "critical": (N_("Nothing works"), "bad"),
        "major": (N_("It works badly"), "wait"),
        "minor": (N_("It is a nuisance, or a question"), "info"),
    },
}
"""By kind of thing and its code: the words, and a tone of `_ui.html`."""

CREDIT = "credit-note"
"""The kind of paper that takes back a part of a bill."""

SEVERITIES = ("critical", "major", "minor")

UNITS_OF: Mapping[str, str] = {"down_mbps": "Mbit/s", "speed_mbps": "Mbit/s", "up_mbps": "Mbit/s"}
"""The units of what a service is chosen by, where it has one."""

CHECKS: Mapping[str, str] = {
    "available": N_("Available"),
    "in service": N_("In service"),
    "jitter": N_("Jitter"),
    "loss": N_("Loss"),
    "round trip": N_("Round trip"),
    "speed from the site": N_("Speed from the site"),
    "speed into the site": N_("Speed into the site"),
    "test call": N_("Test call"),
}


@dataclass(frozen=True, slots=True)
class Told:
    word: str
    tone: str


def told(kind: str, code: object) -> Told:
    """A state in a customer's words. One that has none is said as it is."""
    word, tone = STATES[kind].get(str(code), (str(code), "quiet"))
    return Told(_(word), tone)


def standing(bill: ShelfBill) -> Told:
    """How a bill stands; a credit note is nothing to be paid."""
    return told("credit" if bill.kind_of == CREDIT else "bill", bill.state)


def check(name: str) -> str:
    """What was looked at; a class of service stays behind its comma."""
    what, comma, more = name.partition(", ")
    said = _(CHECKS[what]) if what in CHECKS else words.said(what).capitalize()
    return f"{said}{comma}{more}"


def label(name: str, unit: str) -> str:
    """What is chosen by a whole number, with what it counts: `Speed (Mbit/s)`."""
    what = words.said(name).capitalize()
    return what if unit in ("", name) else f"{what} ({unit})"


def traits(characteristics: Characteristics) -> Sequence[tuple[str, str]]:
    """What was chosen of a service, each with its words."""
    found = []
    for name, value in characteristics.items():
        shown = language.number(value) if isinstance(value, int) else value
        found.append((words.said(name).capitalize(), f"{shown} {UNITS_OF.get(name, '')}".strip()))
    return found


# --- prices and charges -------------------------------------------------------------------------


def by_use(tariff: Tariff | None, currency: str) -> Sequence[str]:
    """What use costs beside the monthly price, a sentence each; nothing where it costs nothing."""
    match tariff:
        case PercentileTariff():
            return [
                _(
                    "%(rate)s %(currency)s a month for each Mbit/s of your busiest time, without "
                    "the highest 5 %%, and at least for %(commit)s Mbit/s.",
                    rate=language.number(tariff.rate_per_mbps),
                    currency=currency,
                    commit=language.number(tariff.commit_mbps),
                )
            ]
        case VoiceTariff():
            many = len(tariff.bands)
            return [
                ngettext(
                    "Calls by the minute, to %(num)s destination.",
                    "Calls by the minute, to %(num)s destinations.",
                    many,
                )
            ]
        case SeatTariff():
            what = _("For each seat in use on the busiest day of the month:")
            if tariff.basis == "month-end":
                what = _("For each seat in use on the last day of the month:")
            return [what, *_tiers(tariff.tiers, currency)]
        case VolumeTariff():
            what = _(
                "%(included)s GB are included; for each GB above that:",
                included=language.number(tariff.included_gb),
            )
            return [what, *_tiers(tariff.tiers, currency)]
        case DeckTariff():
            return [_("Calls by the minute, at the prices of our list on the day of the call.")]
        case _:
            return []


def _tiers(tiers: Sequence[Tier], currency: str) -> Iterator[str]:
    for tier in tiers:
        rate = language.number(tier.rate)
        if tier.up_to is None:
            yield _("beyond: %(rate)s %(currency)s", rate=rate, currency=currency)
        else:
            yield _(
                "up to %(most)s: %(rate)s %(currency)s",
                most=language.number(tier.up_to),
                rate=rate,
                currency=currency,
            )


UNITS: Mapping[str, str] = {
    "GB": "GB",
    "Mbit/s": "Mbit/s",
    "credit": N_("credit"),
    "item": N_("item"),
    "min": N_("min"),
    "month": N_("month"),
    "part month": N_("part of a month"),
    "seat": N_("seat"),
}
"""What a line counts, as a customer reads it."""


def unit(code: str) -> str:
    return _(UNITS[code]) if code in UNITS else code


def service(line: StatementLine) -> str:
    """The service that a line is for; empty when it is for none."""
    id = line.key.partition("/")[0]
    return id if id.startswith(f"{PREFIXES[HoldingId]}_") else ""


WHY: Mapping[str, str] = {
    "cancellation": N_("The price of cancelling after work had begun, as you were told before."),
    "monthly": N_("The monthly price, for the whole month."),
    "monthly, in part": N_("The monthly price, for the part of the month in which you had it."),
    "one-off": N_("Due once, when the service began or was changed."),
    "usage": N_("What you have used, at the prices of your contract."),
    "credit": N_("Given back of an earlier bill."),
}


def why(line: StatementLine, kind_of: str) -> str:
    """Why a line is on a bill."""
    what = line.key.partition("/")[2].partition("@")[0].partition("/")[0]
    if what == "monthly" and line.unit != "month":
        what = "monthly, in part"
    if kind_of == CREDIT:
        what = "credit"
    return _(WHY[what]) if what in WHY else ""
