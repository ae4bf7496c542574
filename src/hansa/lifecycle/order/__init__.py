"""Yes: new, change, cease.

Takes in an accepted quote, with credit held for it; hands on an order for delivery to take.
"""
