"""What others may ask or do about usage.

months: of a holding, as its seller gave it. intake: a network's own records taken in; quarantine:
those that were wrong; events: as rating reads them; trunks: whose they are.
"""
