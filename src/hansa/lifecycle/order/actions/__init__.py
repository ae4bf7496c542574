"""What others may ask or do about orders.

orders: how they come to be, are found and move. ending: how they are ceased or cancelled.
"""
