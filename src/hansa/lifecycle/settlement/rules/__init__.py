"""Decisions of settlement as pure functions: on papers, on shares of revenue, on books."""
