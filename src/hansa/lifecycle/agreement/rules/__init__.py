"""Decisions about agreements, as pure functions.

Takes in documents, signatures and moves; hands on what is fit, where it stands, what it allows.
"""
