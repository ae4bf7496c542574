"""What others may ask or do about usage.

months: what a holding used in a month, as its seller gave it. intake: files of a network's own
usage records, taken in. events: these records as rating reads them.
"""
