"""The dialect of MEF LSO Sonata, release Grace, in both directions.

In: a Seat or a Shelf on our side, requests of a partner on the other. Out: the same values.
"""
