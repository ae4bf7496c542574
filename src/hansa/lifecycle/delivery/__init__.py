"""Each component had from a seller, our own network or a partner.

Takes in accepted orders; hands on holdings in the inventory, and orders that are completed.
"""
