"""What operations does all day: orders, what is stuck, what is held, and tickets.

In: what a person asks. Out: pages of the area, and what keeps some of them up to date.
"""
