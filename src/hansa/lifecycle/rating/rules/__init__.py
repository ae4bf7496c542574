"""What usage is worth under each tariff: pure functions, exact, the same on both sides.

Takes in usage records, terms and a month; hands on rated lines with their reasons.
"""
