"""Is it as promised?

Takes in the condition of what a holding stands on; hands on the condition of the holding.
"""
