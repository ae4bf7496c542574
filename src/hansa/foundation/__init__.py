"""Values that every room stands on: money, ids, time, parties, errors, states, plans.

Takes in nothing of ours; hands on values and the transaction token.
"""
