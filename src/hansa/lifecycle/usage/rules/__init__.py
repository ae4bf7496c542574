"""What is decided about usage, as pure functions.

months: which are due, and what belongs to whom. layouts: how sources write. mediation: what
records say; by kernels, clocks and zones. prefix: dial codes. sessions: what they carried.
"""
