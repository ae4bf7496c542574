"""Pages for who sells: what is on offer at which price, quotes for many sites, orders of them.

Takes in what sales people ask; calls catalogue, quote and order for it.
"""
