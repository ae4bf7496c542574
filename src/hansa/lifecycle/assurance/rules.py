"""How the conditions of several holdings become the condition of what stands on them."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.federation.contract import Condition
from hansa.foundation.ids import HoldingId
from hansa.foundation.readings import Check

OUT_OF_SERVICE = Check("in service", "yes", "no", ok=False)


def combined(holding: HoldingId, below: Sequence[Condition], *, stands: bool) -> Condition:
    """The condition of an active holding: as bad as the worst that it stands on.

    stands: False when all it stood on has been ended. A holding is not ended because something
    below it is: then it is degraded. Checks of the same name become one, which shows the first
    that failed. measured only if all below are, and never when there is nothing below.
    """
    well = stands and all(one.state == "active" for one in below)
    gone = [OUT_OF_SERVICE for one in below if one.state == "ended"]
    if not stands:
        gone.append(OUT_OF_SERVICE)
    checks: dict[str, Check] = {}
    for check in (*gone, *(check for one in below for check in one.checks)):
        kept = checks.setdefault(check.check, check)
        if kept.ok and not check.ok:
            checks[check.check] = check
    return Condition(
        holding=holding,
        state="active" if well else "degraded",
        checks=tuple(checks.values()),
        measured=bool(below) and all(one.measured for one in below),
    )
