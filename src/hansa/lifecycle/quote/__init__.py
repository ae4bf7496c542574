"""At this price, until then.

Takes in a need whose sellers were found; hands on a locked price with the suppliers' quotes
behind it.
"""
