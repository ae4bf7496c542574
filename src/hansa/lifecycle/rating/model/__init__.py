"""Rated lines of a holding's month; and what millions of events are rated by."""
