"""What pages of this area share: who may look, and who may act."""

from __future__ import annotations

from hansa.foundation.people.model import StaffRole

LOOKING = frozenset({StaffRole.SALES, StaffRole.OPERATIONS, StaffRole.FINANCE, StaffRole.APPROVER})
"""Who may see with whom we trade, and on which terms."""

TRADING = frozenset({StaffRole.SALES, StaffRole.FINANCE})
"""Who may propose that an agreement be signed or stopped, and launch a country."""

TESTING = TRADING | {StaffRole.OPERATIONS}
"""Who may look at what is shown at a gate, and put it on record."""

PAGE = 50
"""How many rows a page shows."""
