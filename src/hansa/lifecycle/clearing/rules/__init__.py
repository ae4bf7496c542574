"""Decisions: what may be entered of a party, how many are netted, what is due."""
