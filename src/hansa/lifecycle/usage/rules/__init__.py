"""What is decided about usage, as pure functions.

months: which are due, what a usage file holds, and what of it belongs to whom. prefix: the dial
code of a number.
"""
