"""What was measured of services of our own network, as charts show it: figure by figure, class by
class, against the operator's targets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from hansa.drivers import actions as network
from hansa.drivers.contract import Figure
from hansa.drivers.model import Stretch, Targets
from hansa.entrypoints.portal.ask import Ask
from hansa.entrypoints.portal.language import noted as N_  # noqa: N812 - what gettext's tools find
from hansa.foundation.ids import HoldingId
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction

SPANS: Mapping[str, tuple[timedelta, timedelta]] = {
    "hour": (timedelta(hours=1), timedelta(minutes=2)),
    "day": (timedelta(days=1), timedelta(minutes=30)),
    "week": (timedelta(days=7), timedelta(hours=4)),
    "month": (timedelta(days=30), timedelta(days=1)),
}
"""How much of the past is shown, and in which stretches."""


def span_of(ask: Ask) -> str:
    """How far back somebody looks; a day, unless another span is asked for."""
    asked = ask.query.get("span", "")
    return asked if asked in SPANS else "day"


def _ms(found: Sequence[Stretch]) -> Decimal:
    """The highest of what was in the middle of each stretch."""
    return (Decimal(max(one.middle for one in found)) / 1000).quantize(Decimal("0.01"))


def _share(found: Sequence[Stretch], of: int, digits: str) -> Decimal:
    """The mean of all that was measured, in percent of the whole, which is `of`."""
    total, looks = sum(one.total for one in found), sum(one.looks for one in found)
    return (Decimal(100 * total) / (looks * of)).quantize(Decimal(digits))


@dataclass(frozen=True)
class Kind:
    """What is said of a figure. value: of one stretch or of several, in `unit`; of: its target.

    words: how the value of several is said. least: the target is the least that it should be.
    """

    label: str
    unit: str
    value: Callable[[Sequence[Stretch]], Decimal]
    of: Callable[[Targets], Decimal]
    words: str
    least: bool = False


HIGHEST = N_("highest %(value)s %(unit)s, target at most %(target)s %(unit)s; %(looks)s looks")
IN_ALL = N_("in all %(value)s %(unit)s, target at most %(target)s %(unit)s; %(looks)s looks")
AT_LEAST = N_("in all %(value)s %(unit)s, target at least %(target)s %(unit)s; %(looks)s looks")

KINDS: Mapping[Figure, Kind] = {
    "rtt_us": Kind(N_("Round trip"), "ms", _ms, lambda to: Decimal(to.rtt_ms), HIGHEST),
    "jitter_us": Kind(N_("Jitter"), "ms", _ms, lambda to: Decimal(to.jitter_ms), HIGHEST),
    "loss_ppm": Kind(
        N_("Loss"),
        "%",
        lambda found: _share(found, 1_000_000, "0.001"),
        lambda to: Decimal(to.loss_ppm) / 10_000,
        IN_ALL,
    ),
    "available": Kind(
        N_("Availability"),
        "%",
        lambda found: _share(found, 1, "0.01"),
        lambda to: Decimal(to.available_bp) / 100,
        AT_LEAST,
        least=True,
    ),
}


@dataclass(frozen=True)
class Measured:
    """One figure over some time. classes: of service, the empty one for the service as a whole.

    rows: of each stretch, class by class, None where nothing was measured. whole: of all of it, and
    of the worst class; kept: whether that is within the target. looks: how often it was measured.
    """

    kind: Kind
    target: Decimal
    classes: tuple[str, ...]
    rows: Sequence[tuple[Instant, Sequence[Decimal | None]]]
    whole: Decimal
    kept: bool
    looks: int


def measured(ask: Ask, tx: Transaction, holding: HoldingId, *, span: str) -> Sequence[Measured]:
    """Every figure of a service that was measured in this span; none when nothing was."""
    length, step = SPANS[span]
    start = ask.now - length
    found = network.series(tx, holdings=[holding], start=start, end=ask.now, step=step)
    return figures(ask, found, span=span)


def figures(ask: Ask, found: Sequence[Stretch], *, span: str) -> Sequence[Measured]:
    """The same of what is known already of this span."""
    length, step = SPANS[span]
    start = ask.now - length
    moments = [start + step * number for number in range(length // step)]
    targets = ask.node.settings.network.targets
    return [
        _figure(kind, [one for one in found if one.name == name], moments, kind.of(targets))
        for name, kind in KINDS.items()
        if any(one.name == name for one in found)
    ]


def _figure(
    kind: Kind, found: Sequence[Stretch], moments: Sequence[Instant], target: Decimal
) -> Measured:
    at = {(one.at, one.class_): kind.value([one]) for one in found}
    classes = tuple(sorted({one.class_ for one in found}))
    of_class = {name: [one for one in found if one.class_ == name] for name in classes}
    whole = (min if kind.least else max)(kind.value(of_class[name]) for name in classes)
    return Measured(
        kind=kind,
        target=target,
        classes=classes,
        rows=[(moment, [at.get((moment, name)) for name in classes]) for moment in moments],
        whole=whole,
        kept=whole >= target if kind.least else whole <= target,
        looks=max(sum(one.looks for one in of_class[name]) for name in classes),
    )
