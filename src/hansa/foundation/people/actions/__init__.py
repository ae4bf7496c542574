"""What may be asked and done: persons, sessions, proposals, and the audit log of all of it."""
