"""What was done by whom: written down, and read."""

from __future__ import annotations

from collections.abc import Sequence

from hansa.foundation.documents import Json
from hansa.foundation.people import store
from hansa.foundation.people.model import (
    TRAIL_MAX,
    AuditEntry,
    Person,
)
from hansa.foundation.time import Instant
from hansa.foundation.transaction import Transaction


def record(
    tx: Transaction,
    *,
    by: Person | str,
    action: str,
    subject: str,
    why: str = "",
    details: Json = None,
    now: Instant,
) -> None:
    """Writes into the audit log what somebody does in this transaction.

    by: at the command line `console:` and the user of the machine. details: JSON without floats.
    """
    who, roles = (by, []) if isinstance(by, str) else (by.login, sorted(by.roles))
    store.insert_audit(
        tx, who=who, roles=roles, action=action, subject=subject, why=why, details=details, now=now
    )


def trail(
    tx: Transaction,
    *,
    who: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[AuditEntry]:
    """What was done, the newest first; before: only what has a lower number, for the next page."""
    wanted = {"who": who, "action": action, "subject": subject, "before": before}
    return store.trail(tx, wanted, min(limit, TRAIL_MAX))
