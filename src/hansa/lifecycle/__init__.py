"""The life of a service, room by room. A room looks back along the path and never ahead.

agreement, catalogue, inventory, qualification, quote, order, delivery, assurance, usage,
rating, billing, settlement.
"""
