"""What others may ask or do in the catalogue.

offers: what is on offer, at what price. decks: price lists of calls by dial code.
"""
